// SPDX-License-Identifier: GPL-2.0
#include "sim/weather.hpp"

#include "test.hpp"

namespace ccm_testing {

namespace {

constexpr u64 kMs = 1000;	       // microseconds
constexpr u64 kForLong = 3600'000'000; // that too
constexpr u32 kPauseMs = 60;
constexpr u32 kSilenceMs = 1500;
constexpr u32 kShortMs = 20;

} // namespace

Weather::Weather(ccm_sim::Network &network, std::deque<Member> &members,
		 std::deque<Worker> &workers, const Plan &plan)
	: network_(network), members_(members), workers_(workers), plan_(plan),
	  thread_(ccm_thread_start(thread_main, this, "weather", 0))
{
	if (!thread_)
		fault("no thread at the beginning");
}

Weather::~Weather()
{
	enough_ = true;
	ccm_thread_stop(thread_);
}

int Weather::thread_main(void *weather)
{
	static_cast<Weather *>(weather)->work();
	return 0;
}

void Weather::work()
{
	static constexpr struct {
		const char *name;
		bool Plan::*allowed;
		void (Weather::*run)();
	} kKinds[] = {
		{"cuts", &Plan::cuts, &Weather::cut},
		{"silences", &Plan::silences, &Weather::silence},
		{"loses a machine", &Plan::losses, &Weather::lose},
		{"sends signals", &Plan::signals, &Weather::signal},
		{"takes memory", &Plan::memory, &Weather::take_memory},
		{"parts two", &Plan::closes, &Weather::part},
	};

	while (!enough_) {
		const auto &kind = kKinds[network_.world.below(
			static_cast<u32>(std::size(kKinds)))];

		ccm_test_sleep(1 + network_.world.below(kPauseMs));
		if (!(plan_.*kind.allowed) || enough_)
			continue;
		doing_.set(kind.name);
		(this->*kind.run)();
	}
}

u32 Weather::any_node()
{
	return 1 + network_.world.below(plan_.members);
}

void Weather::cut()
{
	network_.cut(any_node(), any_node());
}

// One way, or both.
void Weather::silence()
{
	u32 from = any_node();
	u32 to = any_node();
	u64 us = network_.world.below(kSilenceMs) * kMs;

	network_.silence(from, to, us);
	if (network_.world.chance(2))
		network_.silence(to, from, us);
}

// While it is away its old node ends, and nobody hears of it.
void Weather::lose()
{
	Member &lost = members_[any_node() - 1];

	network_.lose(lost.number(), kForLong);
	lost.begin_again();
	network_.lose(lost.number(), network_.world.below(kPauseMs) * kMs);
	ccm_test_sleep(kPauseMs);
	lost.join();
}

void Weather::take_memory()
{
	network_.world.let_memory_be_short(network_.world.below(kShortMs) *
					   kMs);
}

// Both ends close at about the same time, and meet again.
void Weather::part()
{
	Member &low = members_[any_node() - 1];
	Member &high = members_[any_node() - 1];

	if (low.number() >= high.number())
		return;
	low.close(high.number(), 0);
	network_.world.sleep_until(network_.world.now_us() +
				   network_.latency_us());
	high.close(low.number(), static_cast<int>(kPauseMs));
	high.meet(low.number(), 0);
	low.meet(high.number(), 0);
}

void Weather::signal()
{
	u32 whom = network_.world.below(static_cast<u32>(workers_.size()));

	workers_[whom].signal();
}

} // namespace ccm_testing
