! Reads a namelist of three classes, and prints the values back.
program read_namelist
  implicit none
  integer :: class(3), i
  character(len=16) :: class_name(3)
  real :: porosity(3), satdk(3)
  character(len=256) :: path
  namelist /soil/ class, class_name, porosity, satdk
  call get_command_argument(1, path)
  open (19, file=trim(path), status='old')
  read (19, nml=soil)
  do i = 1, 3
    print '(i0, 2(1x, z8.8), 1x, a)', class(i), porosity(i), satdk(i), trim(class_name(i))
  end do
end program
