// signalfd(2), which the Glibc module of Swift leaves out.
#ifndef REPLTOOLS_SIGNAL_DESCRIPTOR_H
#define REPLTOOLS_SIGNAL_DESCRIPTOR_H

#include <sys/signalfd.h>

#endif
