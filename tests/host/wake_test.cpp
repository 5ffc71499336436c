// SPDX-License-Identifier: GPL-2.0
// What a thread does that has been woken: it takes no lock of whoever woke it.
#include "core/calls.hpp"

#include "background.hpp"
#include "support/errno.hpp"
#include "test.hpp"

// Of host.hpp, which wants the standard library.
namespace host {
unsigned long locks_taken(ccm_lock_kind kind);
}

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u32 kModule = 7;
constexpr Key kKey{1, 1, 1};

} // namespace

CCM_TEST(wake, receive__takes_no_lock)
{
	Mailbox box(kModule);
	unsigned long taken = 1;
	u8 byte = 0;
	Atomic<bool> posted;

	REQUIRE(box.attach({1u << 20, 4u << 20}, nullptr).ok());
	{
		Background waiter([&] {
			Receiver receiver(Want::of(kWithAll, kKey), &byte, 1);

			EXPECT(box.enter().ok() && box.post(receiver));
			posted.store(true);
			unsigned long before = host::locks_taken(CCM_LOCK_BOX);
			box.withdraw(receiver, -receiver.wait(CCM_FOREVER));
			box.leave();
			taken = host::locks_taken(CCM_LOCK_BOX) - before;
			EXPECT_EQ(0, receiver.error);
		});
		EXPECT(eventually([&] { return posted.load(); }));
		EXPECT(waiter.goes_on());
		Placement placement;
		placement.mailbox = &box;
		placement.key = kKey;
		EXPECT(box.place(placement) && box.finish(placement));
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(0, taken);
}

CCM_TEST(wake, call__takes_no_lock)
{
	Calls calls;
	unsigned long taken = 1;
	Atomic<bool> expected;

	{
		Background waiter([&] {
			Pending pending(1, kModule, 1, 1);

			calls.expect(pending);
			expected.store(true);
			unsigned long before =
				host::locks_taken(CCM_LOCK_CALLS);
			calls.await(pending, CCM_FOREVER);
			taken = host::locks_taken(CCM_LOCK_CALLS) - before;
			EXPECT_EQ(ECONNABORTED, pending.error);
		});
		EXPECT(eventually([&] { return expected.load(); }));
		EXPECT(waiter.goes_on());
		calls.lost(1);
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(0, taken);
}
