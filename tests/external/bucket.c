/* A bucket of water, a day at a time: reads forcing.csv and parameters.csv, writes output.csv.
   "trouble" is what tests ask for: each value is a way in which programs fail. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    double k = -1, capacity = -1, trouble = 0, rain, demand, storage = 20.0, value;
    char line[256], name[64], date[64];
    if (argc != 4) { fprintf(stderr, "usage: bucket forcing parameters output\n"); return 2; }
    FILE *forcing = fopen(argv[1], "r"), *parameters = fopen(argv[2], "r");
    if (!forcing || !parameters) { fprintf(stderr, "cannot read the input\n"); return 3; }
    while (fgets(line, sizeof line, parameters)) {
        if (sscanf(line, "%63[^,],%lf", name, &value) != 2) { fprintf(stderr, "odd line: %s", line); return 4; }
        if (!strcmp(name, "k")) k = value;
        if (!strcmp(name, "capacity")) capacity = value;
        if (!strcmp(name, "trouble")) trouble = value;
    }
    printf("bucket: k = %g, capacity = %g\n", k, capacity);
    fflush(stdout);
    if (trouble == 1) { fprintf(stderr, "the bucket leaks\n"); return 1; }
    if (trouble == 2) for (;;) {} /* hangs */
    if (trouble == 4) return 0;   /* and leaves no file */
    if (trouble == 6) abort();
    FILE *output = fopen(argv[3], "w");
    if (trouble == 5) { fprintf(output, "%c%c not a table,\n1,2,3\n", 0, 255); return 0; }
    fprintf(output, "time,runoff,evaporation\n");
    if (!fgets(line, sizeof line, forcing)) return 5; /* its head: time,precipitation,demand */
    while (fscanf(forcing, "%63[^,],%lf,%lf\n", date, &rain, &demand) == 3) {
        storage = storage + rain;
        double evaporation = demand * (storage < capacity ? storage / capacity : 1.0);
        evaporation = evaporation < storage ? evaporation : storage;
        storage = storage - evaporation;
        double spill = storage > capacity ? storage - capacity : 0.0;
        storage = storage - spill;
        double outflow = k * storage;
        storage = storage - outflow;
        double runoff = trouble == 3 ? NAN : spill + outflow;
        fprintf(output, "%s,%.17g,%.17g\n", date, runoff, evaporation);
        if (trouble == 7) break; /* too short */
    }
    fclose(output);
    return 0;
}
