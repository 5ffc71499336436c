// SPDX-License-Identifier: GPL-2.0
// The calls whose answers are awaited, many of them, without a node.
#include "core/calls.hpp"

#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u32 kModule = 7;
constexpr u32 kCount = 200; // more than are looked at while the lock is held

// So many, of this module number and the next by turns.
class Awaited {
public:
	Awaited()
	{
		while (count < kCount) {
			Pending *one = create<Pending>(MaySleep::Yes, 1u,
						       kModule + count % 2, 1u,
						       count);
			if (!one)
				break;
			calls.expect(*one);
			all[count++] = one;
		}
	}
	~Awaited()
	{
		calls.lost_all();
		for (u32 i = 0; i < count; i++)
			destroy(all[i]);
	}
	Awaited(const Awaited &) = delete;
	Awaited &operator=(const Awaited &) = delete;

	// It begins anew, and is late from then on.
	void set_due(u32 nth, u64 due_ms)
	{
		(void)calls.forget(*all[nth], 0);
		all[nth]->done = false;
		all[nth]->due.ms = due_ms;
		calls.expect(*all[nth]);
	}
	u32 ended(u32 module, int error) const
	{
		u32 found = 0;

		for (u32 i = 0; i < count; i++)
			found += all[i]->module == module && all[i]->done &&
				 all[i]->error == error;
		return found;
	}

	Calls calls;
	u32 count = 0;
	Pending *all[kCount] = {};
};

// It is too large for a stack of the kernel's.
template <class F> void with_many(ccm_test *test, F what)
{
	Awaited *awaited = create<Awaited>(MaySleep::Yes);

	REQUIRE(awaited);
	if (EXPECT_EQ(kCount, awaited->count))
		what(*awaited);
	destroy(awaited);
}

} // namespace

CCM_TEST(calls, cancel__ends_many_and_no_others)
{
	with_many(test, [&](Awaited &awaited) {
		awaited.calls.cancel(kModule);
		EXPECT_EQ(kCount / 2, awaited.ended(kModule, ECANCELED));
		EXPECT_EQ(0, awaited.ended(kModule + 1, ECANCELED));
		awaited.calls.lost(1);
		EXPECT_EQ(kCount / 2, awaited.ended(kModule, ECANCELED));
		EXPECT_EQ(kCount / 2, awaited.ended(kModule + 1, ECONNABORTED));
	});
}

CCM_TEST(calls, expire__finds_the_next_among_many)
{
	with_many(test, [&](Awaited &awaited) {
		awaited.set_due(kCount - 1, 30);
		awaited.set_due(3, 10);
		awaited.set_due(kCount - 2, 20);
		EXPECT_EQ(10, awaited.calls.expire(9));
		EXPECT_EQ(20, awaited.calls.expire(10));
		EXPECT_EQ(30, awaited.calls.expire(25));
		EXPECT_EQ(0, awaited.calls.expire(30));
		EXPECT(awaited.all[3]->error == ETIMEDOUT);
		EXPECT(awaited.all[kCount - 1]->error == ETIMEDOUT);
		EXPECT(!awaited.all[kCount - 3]->done);
	});
}

// More than end at once, several at the same time, each in its time.
CCM_TEST(calls, expire__many_in_any_order)
{
	with_many(test, [&](Awaited &awaited) {
		for (u32 nth = 0; nth < kCount; nth++)
			awaited.set_due(nth, 1 + nth * 77 % kCount / 2);
		for (u64 now = 1; now <= kCount / 2; now++) {
			u32 ended = 0;

			EXPECT_EQ(now < kCount / 2 ? now + 1 : 0,
				  awaited.calls.expire(now));
			for (u32 nth = 0; nth < kCount; nth++) {
				const Pending &one = *awaited.all[nth];

				EXPECT_EQ(one.due.ms <= now, one.done);
				ended += one.done;
			}
			EXPECT_EQ(2 * now, ended);
		}
	});
}

CCM_TEST(calls, lost__ends_those_of_the_node_alone)
{
	with_many(test, [&](Awaited &awaited) {
		Pending other(2, kModule, 1, 0);

		awaited.calls.expect(other);
		awaited.calls.lost(3);
		EXPECT_EQ(0, awaited.ended(kModule, ECONNABORTED));
		awaited.calls.lost(1);
		EXPECT_EQ(kCount / 2, awaited.ended(kModule, ECONNABORTED));
		EXPECT_EQ(kCount / 2, awaited.ended(kModule + 1, ECONNABORTED));
		EXPECT(!other.done);
		awaited.calls.lost(2);
		EXPECT_EQ(ECONNABORTED, other.error);
	});
}

// Of those that there were when it began, each that is there when its turn comes.
CCM_TEST(calls, report__others_come_and_go_meanwhile)
{
	with_many(test, [&](Awaited &awaited) {
		Pending late(1, kModule, 1, kCount);
		ccm_cursor at{};
		ccm_call_info info{};
		u32 told = 0;

		while (awaited.calls.report(at, info)) {
			EXPECT_EQ(2 * told++, info.seqn);
			// The one behind it goes; and one comes.
			if (info.seqn + 1 < kCount)
				(void)awaited.calls.forget(
					*awaited.all[info.seqn + 1], 0);
			if (info.seqn == 0)
				awaited.calls.expect(late);
		}
		EXPECT_EQ(kCount / 2, told);
		EXPECT(awaited.calls.forget(late, 0));
	});
}

CCM_TEST(calls, take_back__is_found_among_many)
{
	with_many(test, [&](Awaited &awaited) {
		Pending *taken = awaited.all[150];
		const u64 id = taken->id;

		EXPECT(awaited.calls.take_back(id) == taken);
		EXPECT(awaited.calls.take_back(id) == nullptr);
		EXPECT(awaited.calls.take_back(id + kCount) == nullptr);
	});
}

// As with a short handler that is called all the time: the dump ends all the same.
CCM_TEST(calls, report_running__each_is_followed_by_another)
{
	Mailbox mailbox(kModule);
	Message *message = Message::make(kModule, {1, 1, 1}, 0, MaySleep::Yes);
	Handler *handler =
		create<Handler>(MaySleep::Yes, 1u, CCM_SHORT, nullptr, nullptr);
	ccm_cursor at{};
	ccm_call_info info{};
	u32 told = 0;

	REQUIRE(message && handler && mailbox.handlers.add(handler).ok());
	Running first(*message, false), next(*message, false);
	EXPECT(mailbox.handlers.enter(first).ok());
	while (told < 10 && mailbox.handlers.report_running(at, info)) {
		Running &ends = told % 2 ? next : first;
		Running &begins = told % 2 ? first : next;

		told++;
		mailbox.handlers.leave(ends);
		EXPECT(mailbox.handlers.enter(begins).ok());
	}
	EXPECT_EQ(1, told);
	mailbox.handlers.leave(told % 2 ? next : first);
	Message::drop(message);
}
