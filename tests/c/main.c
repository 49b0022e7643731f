/* main.c - runs the C tests and reports how many checks failed. */
#include "check.h"

int check_failures = 0;
const char *check_test = "";
int64_t check_trial = -1;

int main(void)
{
    run_base_tests();
    run_dtype_tests();
    run_layout_tests();
    run_view_tests();
    run_space_tests();
    run_program_tests();
    if (check_failures > 0)
        printf("%d checks failed\n", check_failures);
    else
        printf("all checks passed\n");
    return check_failures > 0;
}
