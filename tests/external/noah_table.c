/* Reads a parameter table as Noah does: the title and what follows the count are skipped, columns go by
   place. Prints the name of the classification, then the index, the values and the name of every row. */
#include <stdio.h>
#include <stdlib.h>

static void rest_of_line(FILE *file) {
    int c;
    while ((c = fgetc(file)) != '\n' && c != EOF) {
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    FILE *file = fopen(argv[1], "r");
    int columns = atoi(argv[2]), rows, first;
    char name[128];
    if (file == NULL) return 3;
    rest_of_line(file);
    if (fscanf(file, "%127s", name) != 1 || fscanf(file, "%d,%d", &rows, &first) != 2) return 4;
    rest_of_line(file);
    printf("%s %d\n", name, rows);
    for (int i = 0; i < rows; i++) {
        int index;
        if (fscanf(file, "%d", &index) != 1) return 5;
        printf("%d", index);
        for (int j = 0; j < columns; j++) {
            float value;
            if (fscanf(file, " , %f", &value) != 1) return 6;
            printf(" %a", (double)value);
        }
        if (fscanf(file, " , '%127[^']'", name) != 1) return 7;
        printf(" %s\n", name);
    }
    return fclose(file);
}
