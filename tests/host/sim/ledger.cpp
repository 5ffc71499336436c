// SPDX-License-Identifier: GPL-2.0
#include "sim/ledger.hpp"

#include <cerrno>

namespace ccm_testing {

constexpr auto kRelaxed = std::memory_order_relaxed;

// --- messages --------------------------------------------------------------------

u32 Flow::begin()
{
	u32 number = newest() + 1;

	if (number >= kNumbersMax)
		return 0;
	last_.store(number, kRelaxed); // its one sender is who asks
	return number;
}

void Flow::refused(u32 number)
{
	if (seen_[number].fetch_or(kRefused, kRelaxed) & kReceived)
		fault("message %u arrived, and its sender had an error",
		      number);
}

void Flow::received(u32 number)
{
	if (number == 0 || number > newest())
		fault("message %u was never sent", number);
	u8 before = seen_[number].fetch_or(kReceived, kRelaxed);
	if (before & kReceived)
		fault("message %u arrived twice", number);
	if (before & kRefused)
		fault("message %u arrived, and its sender had had an error",
		      number);
}

void Flow::received_in_order(u32 number)
{
	received(number);
	if (number <= received_)
		fault("message %u arrived after %u", number, received_);
	received_ = number;
}

// --- calls -----------------------------------------------------------------------

void ShortCalls::run(u32 number)
{
	u32 last = last_.exchange(number, kRelaxed);

	if (number <= last)
		fault("short call %u ran after %u", number, last);
	if (number <= passed_.load(kRelaxed))
		fault("short call %u ran after a message that was sent "
		      "behind it",
		      number);
}

void ShortCalls::passed_by(u32 number)
{
	u32 before = passed_.load(kRelaxed);

	while (before < number &&
	       !passed_.compare_exchange_weak(before, number, kRelaxed))
		;
}

u64 CallLog::begin()
{
	u64 id = last_.fetch_add(1, kRelaxed) + 1;

	return id < kCallsMax ? id : 0;
}

u8 CallLog::note(u64 id, u8 bit)
{
	if (id == 0 || id > last_.load(kRelaxed) || id >= kCallsMax)
		fault("call %llu was never made",
		      static_cast<unsigned long long>(id));
	return seen_[id].fetch_or(bit, kRelaxed);
}

void CallLog::run(u64 id)
{
	u8 before = note(id, kRun);

	if (before & kRun)
		fault("call %llu runs twice",
		      static_cast<unsigned long long>(id));
	if (before & kNotRun)
		fault("call %llu runs, and its caller was told otherwise",
		      static_cast<unsigned long long>(id));
}

void CallLog::not_run(u64 id)
{
	if (note(id, kNotRun) & kRun)
		fault("call %llu has run, and its caller was told otherwise",
		      static_cast<unsigned long long>(id));
}

void CallLog::begun(u64 id)
{
	note(id, kBegun);
}

void CallLog::ended(u64 id)
{
	if (note(id, kEnded) & kEnded)
		fault("the end of call %llu is told twice",
		      static_cast<unsigned long long>(id));
}

void CallLog::check() const
{
	u64 last = last_.load();

	for (u64 id = 1; id <= last && id < kCallsMax; id++) {
		u8 seen = seen_[id].load();

		if ((seen & kBegun) && !(seen & kEnded))
			fault("the end of call %llu is never told",
			      static_cast<unsigned long long>(id));
		if ((seen & kEnded) && !(seen & kBegun))
			fault("the end of call %llu is told, and it had "
			      "failed to begin",
			      static_cast<unsigned long long>(id));
	}
}

u32 Ledger::count_messages() const
{
	u32 count = 0;

	for (auto &of_node : flows)
		for (auto &of_thread : of_node)
			for (auto &to_node : of_thread)
				for (const Flow &flow : to_node)
					count += flow.newest();
	return count;
}

bool says_not_run(int error)
{
	switch (-error) {
	case EOPNOTSUPP:
	case EACCES:
	case ENOENT:
	case EDEADLK:
	case EINVAL:
	case EMSGSIZE:
	case ENOTCONN:
	case ENODEV:
	case EHOSTDOWN:
	case ENOMEM:
	case ESHUTDOWN:
		return true;
	default:
		return false;
	}
}

} // namespace ccm_testing
