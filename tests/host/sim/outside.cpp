// SPDX-License-Identifier: GPL-2.0
#include "sim/outside.hpp"

#ifdef __SANITIZE_THREAD__
extern "C" {
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}
#endif

namespace ccm_sim {

static void ignore(bool on)
{
#ifdef __SANITIZE_THREAD__
	if (on) {
		AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
		AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	} else {
		AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
		AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
	}
#else
	(void)on;
#endif
}

Outside::Outside()
{
	ignore(true);
}

Outside::~Outside()
{
	ignore(false);
}

void Outside::leave_for_good()
{
	ignore(false);
}

Inside::Inside()
{
	ignore(false);
}

Inside::~Inside()
{
	ignore(true);
}

} // namespace ccm_sim
