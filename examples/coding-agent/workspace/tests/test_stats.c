#include <stdio.h>

#include "../src/stats.h"

static int failed;

static void expect(const char *what, double got, double want)
{
	if (got == want)
		return;
	printf("FAIL %s: got %g, wanted %g\n", what, got, want);
	failed = 1;
}

int main(void)
{
	double odd[] = {3, 1, 2};

	expect("mean", stats_mean(odd, 3), 2);
	expect("median", stats_median(odd, 3), 2);
	puts(failed ? "tests failed" : "all tests passed");
	return failed;
}
