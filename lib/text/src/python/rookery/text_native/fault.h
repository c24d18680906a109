/* Faults on purpose, by which lib/text/sanitize proves that it would see one. Only its
   self-check has them compiled in. */
#ifndef ROOKERY_FAULT_H
#define ROOKERY_FAULT_H

#include <stdlib.h>

#include "scan.h"

static void rk_fault(const rk_texts *texts)
{
    const char *kind = getenv("ROOKERY_FAULT");
    volatile uint8_t byte = 0;
    volatile int32_t number = INT32_MAX;
    if (kind && !strcmp(kind, "read")) /* one byte behind the texts */
        byte = texts->data[texts->data_size];
    if (kind && !strcmp(kind, "overflow"))
        number = number + 1;
    (void)byte;
}

#endif
