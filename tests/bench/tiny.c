/* The program of the benchmark: does nothing, statically. */
int main(void)
{
	return 0;
}
