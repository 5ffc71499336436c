// SPDX-License-Identifier: GPL-2.0
// How messages and receivers find each other: as if by a walk, without one.
#include "core/mailbox.hpp"

#include "arrival.hpp"
#include "box.hpp"
#include "random.hpp"
#include "support/errno.hpp"
#include "test.hpp"
#include "walk.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

// What happens by chance to a mailbox, and to what walks. It is too large for a stack of
// the kernel's.
class Twins {
public:
	explicit Twins(u64 seed) : random_(seed)
	{
	}
	~Twins()
	{
		for (Coming &coming : coming_)
			if (coming.arrival)
				end_arrival(coming, true);
		box_.shut();
		for (Post &post : posts_)
			drop(post);
	}
	Twins(const Twins &) = delete;
	Twins &operator=(const Twins &) = delete;

	// One step; whether both do the same still.
	bool step()
	{
		switch (random_.below(10)) {
		case 0:
		case 1:
		case 2:
			return post();
		case 3:
		case 4:
			return deliver();
		case 5:
			return take();
		case 6:
			return cancel();
		case 7:
			return fail_node();
		default:
			return arrive();
		}
	}
	bool same()
	{
		ccm_consumer_info info{};

		box_.report(info);
		for (Post &post : posts_)
			if (post.receiver && !same(post))
				return false;
		return info.receivers == walk_.waiter_count &&
		       info.messages == walk_.item_count;
	}

private:
	enum : u32 { kPosts = 24, kComing = 5, kSmall = 128 };

	struct Post {
		Receiver *receiver;
		Walk::Waiter waiter;
		u8 bytes[256];
	};
	struct Coming {
		Arrival *arrival;
		Walk::Waiter *waiter;
		Walk::Item item;
	};

	Want some_want()
	{
		return {.node = random_.between(1, 3),
			.type = random_.between(1, 2),
			.seqn = random_.between(1, 3),
			.any_node = random_.below(2) == 0,
			.any_seqn = random_.below(2) == 0};
	}
	// No two that are there have the same size.
	Walk::Item some_item()
	{
		return {.key = some_want().key(), .size = ++last_ % 256};
	}
	static bool same(const Post &post)
	{
		const Receiver &r = *post.receiver;

		if (post.waiter.there)
			return r.state == (post.waiter.filling
						   ? Receiver::State::Filling
						   : Receiver::State::Posted) &&
			       (!post.waiter.filling ||
				r.given_up.load() == post.waiter.error);
		if (r.state != Receiver::State::Done ||
		    r.error != post.waiter.error)
			return false;
		if (r.error && r.error != EMSGSIZE)
			return true;
		return (r.message ? r.message->size : r.size) ==
		       post.waiter.size;
	}
	static void drop(Post &post)
	{
		if (!post.receiver)
			return;
		Message::drop(post.receiver->message);
		destroy(post.receiver);
		post.receiver = nullptr;
	}
	bool post()
	{
		Post &post = posts_[random_.below(kPosts)];
		u32 how = random_.below(3);

		if (post.receiver && post.waiter.there)
			return true;
		drop(post);
		post.receiver = create<Receiver>(
			MaySleep::Yes, some_want(), how ? post.bytes : nullptr,
			how == 1 ? size_t{kSmall} : sizeof(post.bytes));
		if (!post.receiver)
			return false;
		post.waiter.receiver = post.receiver;
		walk_.post(post.waiter);
		return box_.post(*post.receiver) == post.waiter.there;
	}
	bool deliver()
	{
		Walk::Item item = some_item();

		if (walk_.item_count >= Walk::kMost / 2)
			return take();
		walk_.deliver(item);
		Message *message = make_message(kModule, item.key, item.size);
		if (message)
			box_.deliver(message);
		return message;
	}
	bool take()
	{
		Want want = some_want();
		Receiver receiver(want, nullptr, 0);
		u32 size = 0;
		auto taken = box_.take(receiver, &size);
		int expected = walk_.take(want);

		if (!taken.ok())
			return expected < 0;
		Message::drop(taken.value());
		return expected == static_cast<int>(size);
	}
	bool cancel()
	{
		Want want = some_want();

		if (random_.below(4))
			return true;
		return box_.cancel(want, ECANCELED) ==
		       walk_.end_those(
			       [&](const Want &w) { return covers(want, w); },
			       ECANCELED);
	}
	bool fail_node()
	{
		u32 node = random_.between(1, 3);

		if (random_.below(4))
			return true;
		box_.fail_node(node, EHOSTDOWN);
		(void)walk_.end_those(
			[&](const Want &w) {
				return !w.any_node && w.node == node;
			},
			EHOSTDOWN);
		return true;
	}
	bool arrive()
	{
		Coming &coming = coming_[random_.below(kComing)];

		if (coming.arrival) {
			end_arrival(coming, random_.below(2) == 0);
			return true;
		}
		if (walk_.item_count >= Walk::kMost / 2)
			return take();
		coming.item = some_item();
		coming.waiter = walk_.place(coming.item);
		coming.arrival = create<Arrival>(
			MaySleep::Yes, box_, coming.item.key, coming.item.size);
		return coming.arrival &&
		       coming.arrival->placed() == (coming.waiter != nullptr);
	}
	void end_arrival(Coming &coming, bool breaks)
	{
		if (breaks)
			coming.arrival->abandon();
		else
			coming.arrival->finish();
		destroy(coming.arrival);
		coming.arrival = nullptr;
		if (breaks && coming.waiter)
			walk_.abandon(*coming.waiter);
		else if (!breaks && coming.waiter)
			walk_.end(*coming.waiter, 0, coming.item.size);
		else if (!breaks)
			walk_.deliver(coming.item);
	}

	Random random_;
	Box box_;
	Walk walk_;
	Post posts_[kPosts] = {};
	Coming coming_[kComing] = {};
	u32 last_ = 0;
};

} // namespace

CCM_TEST(match, random__as_by_a_walk)
{
	constexpr u32 kSteps = 3000;

	for (u64 seed = 1; seed <= 5; seed++) {
		Twins *twins = create<Twins>(MaySleep::Yes, seed);
		u32 steps = 0;

		REQUIRE(twins);
		while (steps < kSteps && twins->step() && twins->same())
			steps++;
		EXPECT_EQ(kSteps, steps);
		destroy(twins);
	}
}

namespace {

// So many receivers, each for a sequence number of its own.
class Crowd {
public:
	explicit Crowd(u32 count_)
		: size_(count_ * sizeof(Receiver)),
		  receivers_(static_cast<Receiver *>(
			  ccm_buffer_alloc(size_, CCM_EFFORT_LONG))),
		  count(receivers_ ? count_ : 0)
	{
		for (u32 seqn = 0; seqn < count; seqn++)
			post(seqn);
	}
	~Crowd()
	{
		box.shut();
		for (u32 seqn = 0; seqn < count; seqn++)
			Message::drop(receivers_[seqn].message);
		if (receivers_)
			ccm_buffer_free(receivers_, size_);
	}
	Crowd(const Crowd &) = delete;
	Crowd &operator=(const Crowd &) = delete;

	void post(u32 seqn)
	{
		box.post(*new (&receivers_[seqn]) Receiver({.node = 1,
							    .type = 1,
							    .seqn = seqn,
							    .any_node = false,
							    .any_seqn = false},
							   nullptr, 0));
	}
	// Whether that one gets it.
	bool deliver(u32 seqn)
	{
		Message *message = Message::make(
			kModule, {.node = 1, .type = 1, .seqn = seqn}, 0,
			MaySleep::Yes);

		if (message)
			box.deliver(message);
		return message && receivers_[seqn].message == message;
	}
	bool cancel(u32 seqn)
	{
		return box.cancel(receivers_[seqn].want, ECANCELED) == 1 &&
		       receivers_[seqn].error == ECANCELED;
	}
	// The time that the last ones take to be served and to come again, at best.
	u64 time_of_last()
	{
		u64 best = ~0ull;

		for (u32 round = 0; round < 10; round++) {
			u64 began = ccm_now_us();

			for (u32 seqn = count - kTimed; seqn < count; seqn++) {
				deliver(seqn);
				Message::drop(receivers_[seqn].message);
				post(seqn);
			}
			u64 took = ccm_now_us() - began;
			best = took < best ? took : best;
		}
		return best;
	}

	Box box;

private:
	enum : u32 { kTimed = 100 };

	const size_t size_;
	Receiver *const receivers_;

public:
	const u32 count;
};

} // namespace

CCM_TEST(match, deliver__each_of_ten_thousand_gets_its_own)
{
	Crowd crowd(10000);
	u32 wrong = 0;

	REQUIRE_EQ(10000, crowd.count);
	for (u32 seqn = crowd.count; seqn-- > 0;)
		wrong += seqn % 3 ? !crowd.deliver(seqn) : !crowd.cancel(seqn);
	EXPECT_EQ(0, wrong);
}

// A walk takes a hundred times as long; a cache that is cold, a few times.
CCM_TEST(match, deliver__among_ten_thousand_as_fast_as_among_a_hundred)
{
	Crowd few(100);
	Crowd many(10000);

	REQUIRE(few.count && many.count);
	u64 few_us = few.time_of_last() + 1;
	u64 many_us = many.time_of_last();

	if (many_us > 8 * few_us)
		EXPECT_EQ(few_us, many_us);
}
