// SPDX-License-Identifier: GPL-2.0
// Calls whose answers are awaited: of several nodes, each late at a time of its own.
#include "core/calls.hpp"

#include "bench/cases.hpp"

using namespace ccm;

namespace {

constexpr u32 kModule = 7;
constexpr u32 kNodes = 8;

struct Awaited {
	explicit Awaited(u32 others)
		: count(others), all(static_cast<Pending *>(ccm_object_alloc(
					 count * sizeof(Pending), true)))
	{
		for (u32 nth = 0; nth < count; nth++)
			expect(nth);
	}
	~Awaited()
	{
		calls.lost_all();
		ccm_object_free(all);
	}
	void expect(u32 nth)
	{
		Pending *pending = new (&all[nth])
			Pending(1 + nth % kNodes, kModule, 1, nth);

		pending->due.ms = ++last_ms;
		calls.expect(*pending);
	}

	Calls calls;
	u64 last_ms = 0;
	const u32 count;
	Pending *const all;
};

// The next one in time, and another comes.
struct Expire : Awaited {
	using Awaited::Awaited;

	void step(u32)
	{
		u64 next = calls.expire(++now_ms);

		if (next != now_ms + 1 || !all[late].done)
			bench::die("it is not late");
		expect(late);
		late = (late + 1) % count;
	}

	u64 now_ms = 0;
	u32 late = 0;
};

struct Answer : Awaited {
	using Awaited::Awaited;

	void step(u32 chance)
	{
		Pending &one = all[chance % count];
		Message *answer = Message::make(
			kModule, {.node = one.node, .type = 1, .seqn = 0}, 0,
			MaySleep::Yes);

		if (!answer || !calls.answered(answer, {.id = one.id}))
			bench::die("nobody expects it");
		Message::drop(answer);
		expect(chance % count);
	}
};

struct Report : Awaited {
	using Awaited::Awaited;

	void step(u32 chance)
	{
		ccm_cursor at{.number = all[chance % count].id, .last = count};
		ccm_call_info info{};

		if (!calls.report(at, info) || info.seqn != chance % count)
			bench::die("it is not told");
	}
};

// A node of whose calls there is one, beside all others.
struct Lose : Awaited {
	using Awaited::Awaited;

	void step(u32)
	{
		Pending one(kNodes + 1, kModule, 1, 0);

		calls.expect(one);
		calls.lost(kNodes + 1);
		if (!one.done)
			bench::die("it is not lost");
	}
};

} // namespace

constexpr bench::Case bench::kExpire =
	make_case<Expire>("expire", "a call is late, and another begins");
constexpr bench::Case bench::kAnswer =
	make_case<Answer>("answer", "a call is answered, and another begins");
constexpr bench::Case bench::kReport =
	make_case<Report>("report", "the next call of a dump");
constexpr bench::Case bench::kLose =
	make_case<Lose>("lose", "a call begins, and its node is lost");
