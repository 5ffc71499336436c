// SPDX-License-Identifier: GPL-2.0
#include "between.hpp"

#include "test.hpp"

namespace ccm_testing {

namespace {

constexpr int kMomentMs = 50;

thread_local Between *mine;

} // namespace

void Between::begin()
{
	mine = this;
}

Between::~Between()
{
	mine = nullptr;
	if (came())
		ccm_thread_stop(other_);
	else
		run_(what_);
}

int Between::run(void *between)
{
	auto *me = static_cast<Between *>(between);

	me->run_(me->what_);
	me->ended_.store(true);
	return 0;
}

void Between::pass()
{
	if (mine && --mine->left_ == 0)
		mine->come();
}

void Between::come()
{
	mine = nullptr;
	other_ = ccm_thread_start(run, this, "between", 0);
	for (int ms = 0; !ended_.load() && ms < kMomentMs; ms++)
		ccm_test_sleep(1);
}

} // namespace ccm_testing
