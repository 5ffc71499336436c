// SPDX-License-Identifier: GPL-2.0
// Many receivers of one mailbox, and what comes between two steps of what ends them all.
#include "core/mailbox.hpp"

#include "between.hpp"
#include "support/errno.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u32 kModule = 7;
constexpr u32 kCount = 200; // more than end before others get the lock
constexpr Want kWant{1, 1, 0, false, true};

struct Crowd {
	Crowd() : box(kModule)
	{
		(void)box.attach({1u << 20, 4u << 20}, nullptr);
		for (Receiver *&receiver : all) {
			receiver = create<Receiver>(MaySleep::Yes, kWant,
						    nullptr, 0ul);
			box.post(*receiver);
		}
	}
	~Crowd()
	{
		box.shut();
		for (Receiver *receiver : all)
			destroy(receiver);
	}
	Crowd(const Crowd &) = delete;
	Crowd &operator=(const Crowd &) = delete;

	u32 waiting()
	{
		ccm_consumer_info info{};

		box.report(info);
		return info.receivers;
	}

	Mailbox box;
	Receiver *all[kCount];
};

} // namespace

// One that comes meanwhile is not cancelled.
CCM_TEST(crowd, cancel__lets_others_in_between)
{
	Crowd crowd;
	Receiver late(kWant, nullptr, 0);
	u32 left = 0;
	auto post = [&] {
		left = crowd.waiting();
		crowd.box.post(late);
	};
	{
		Between between(1, post);

		EXPECT_EQ(kCount, crowd.box.cancel(kWant, ECANCELED));
		EXPECT(between.came());
	}
	late.sleeper.begin(); // the thread that posted it is gone
	EXPECT(left > 0 && left < kCount);
	EXPECT(late.state == Receiver::State::Posted);
	EXPECT_EQ(1, crowd.waiting());
	for (Receiver *receiver : crowd.all)
		EXPECT_EQ(ECANCELED, receiver->error);
}

CCM_TEST(crowd, fail_node__lets_others_in_between)
{
	Crowd crowd;
	u32 left = 0;
	auto look = [&] {
		left = crowd.waiting();
	};
	{
		Between between(1, look);

		crowd.box.fail_node(1, EHOSTDOWN);
	}
	EXPECT(left > 0 && left < kCount);
	EXPECT_EQ(0, crowd.waiting());
	for (Receiver *receiver : crowd.all)
		EXPECT_EQ(EHOSTDOWN, receiver->error);
}

// Nobody waits there any more from the first step on.
CCM_TEST(crowd, detach__lets_others_in_between)
{
	Crowd crowd;
	Receiver late(kWant, nullptr, 0);
	u32 left = 0;
	bool waits = true;
	auto post = [&] {
		left = crowd.waiting();
		waits = crowd.box.post(late);
	};
	{
		Between between(2, post);

		EXPECT(crowd.box.begin_detach().ok());
	}
	EXPECT(left > 0 && left < kCount);
	EXPECT(!waits);
	EXPECT_EQ(ESHUTDOWN, late.error);
	EXPECT_EQ(0, crowd.waiting());
	crowd.box.finish_detach();
}

// One that is being filled stays where it is, and is counted once.
CCM_TEST(crowd, cancel__passes_over_those_that_are_filled)
{
	Mailbox box(kModule);
	u8 byte = 0;
	Receiver filled(kWant, &byte, 1);
	Placement placement;
	Receiver *others[kCount];

	REQUIRE(box.attach({1u << 20, 4u << 20}, nullptr).ok());
	box.post(filled);
	for (Receiver *&other : others) {
		other = create<Receiver>(MaySleep::Yes, kWant, nullptr, 0ul);
		box.post(*other);
	}
	placement.mailbox = &box;
	placement.key = {1, 1, 5};
	placement.size = 1;
	EXPECT(box.place(placement));
	EXPECT_EQ(kCount + 1, box.cancel(kWant, ECANCELED));
	EXPECT_EQ(1, box.cancel(kWant, EINTR)); // the last word counts
	EXPECT(filled.state == Receiver::State::Filling);
	box.abandon(placement);
	EXPECT_EQ(EINTR, filled.error);
	for (Receiver *other : others) {
		EXPECT_EQ(ECANCELED, other->error);
		destroy(other);
	}
}
