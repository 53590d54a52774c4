#include <stdio.h>

#include "stats.h"

int main(void)
{
	double values[1024];
	size_t count = 0;

	while (count < 1024 && scanf("%lf", &values[count]) == 1)
		count++;
	printf("mean %g median %g\n", stats_mean(values, count), stats_median(values, count));
	return 0;
}
