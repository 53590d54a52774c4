/* callgate: everything but HTTP, for which it becomes callgate-remote. */
#include "supervisor/control/program.h"

int main(int argc, char **argv)
{
	return program_main(argc, argv, NULL);
}
