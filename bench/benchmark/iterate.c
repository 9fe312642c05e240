// SPDX-License-Identifier: MIT
/*
 * What a C program does with a trace.dat: every event by time, and one field of it, with trace-cmd's own library.
 * Measured beside our decoder (measure.py). Prints: events, sum of the field, nanoseconds from opening the file on.
 *
 *   cc -O2 iterate.c $(pkg-config --cflags --libs libtracecmd)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event-parse.h>
#include <trace-cmd.h>

#define IDS 65536 /* common_type has 16 bits */

struct count {
	struct tep_format_field *field[IDS]; /* the first own field of each type, looked up once */
	unsigned long long events, sum;
};

static int add(struct tracecmd_input *handle, struct tep_record *record, int cpu, void *data)
{
	struct count *count = data;
	struct tep_handle *tep = tracecmd_get_tep(handle);
	int id = tep_data_type(tep, record);
	unsigned long long value;

	(void)cpu;
	if (!count->field[id]) {
		struct tep_event *event = tep_find_event(tep, id);

		if (!event)
			return -1;
		count->field[id] = event->format.fields ? event->format.fields : event->format.common_fields;
	}
	if (!tep_read_number_field(count->field[id], record->data, &value))
		count->sum += value;
	count->events++;
	return 0;
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	static struct count count;
	unsigned long long began = now();
	struct tracecmd_input *handle;

	if (argc != 2) {
		fprintf(stderr, "usage: iterate FILE\n");
		return 64;
	}
	handle = tracecmd_open(argv[1], 0);
	if (!handle) {
		fprintf(stderr, "%s: %s\n", argv[1], errno ? strerror(errno) : "no trace.dat");
		return 3;
	}
	if (tracecmd_iterate_events(handle, NULL, 0, add, &count)) {
		fprintf(stderr, "%s: stopped after %llu events\n", argv[1], count.events);
		return 3;
	}
	printf("%llu %llu %llu\n", count.events, count.sum, now() - began);
	tracecmd_close(handle);
	return 0;
}
