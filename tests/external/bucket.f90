! A bucket of water, a day at a time: bucket forcing.csv parameters.csv output.csv
program bucket
  use, intrinsic :: iso_fortran_env, only: real64, error_unit, iostat_end
  implicit none
  character(len=256) :: forcing, parameters, output, line
  character(len=64) :: name, date
  real(real64) :: k, capacity, number, rain, demand, storage, evaporation, spill, outflow
  integer :: status

  call get_command_argument(1, forcing)
  call get_command_argument(2, parameters)
  call get_command_argument(3, output)

  k = -1.0_real64
  capacity = -1.0_real64
  open (10, file=trim(parameters), status='old', action='read')
  do
    ! Commas part the items of a list-directed read: a line is "k,0.1".
    read (10, *, iostat=status) name, number
    if (status == iostat_end) exit
    if (name == 'k') k = number
    if (name == 'capacity') capacity = number
  end do
  close (10)
  if (k < 0.0_real64 .or. capacity < 0.0_real64) then
    write (error_unit, '(a)') 'bucket: a parameter is missing'
    error stop 1
  end if

  open (10, file=trim(forcing), status='old', action='read')
  open (20, file=trim(output), status='replace', action='write')
  read (10, '(a)') line
  write (20, '(a)') 'time,runoff,evaporation'
  storage = 20.0_real64
  do
    read (10, *, iostat=status) date, rain, demand
    if (status /= 0) exit
    storage = storage + rain
    evaporation = min(demand * min(storage / capacity, 1.0_real64), storage)
    storage = storage - evaporation
    spill = max(storage - capacity, 0.0_real64)
    storage = storage - spill
    outflow = k * storage
    storage = storage - outflow
    write (20, '(a, 2(",", es24.16e3))') trim(date), spill + outflow, evaporation
  end do
end program bucket
