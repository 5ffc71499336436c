// SPDX-License-Identifier: GPL-2.0
#include "core/limit.hpp"

#include "random.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

constexpr u64 kKi = 1024;
constexpr u64 kMost = ~0ull;

// A receiver that has told what it might tell.
ReceiveLimit receiver(u32 max_size, u64 window)
{
	ReceiveLimit limit{.window = window, .max_size = max_size};

	limit.tell();
	return limit;
}

} // namespace

// --- what a message is charged ---------------------------------------------------------

CCM_TEST(limit, buffer_cost__is_what_the_allocator_gives)
{
	static const struct {
		u64 size;
		u64 cost;
	} kCosts[] = {
		{0, 256},
		{1, 256},
		{256, 256},
		{257, 512},
		{512, 512},
		{513, 1024},
		{1025, 2048},
		{2049, 4096},
		{4097, 8192},
		{8192, 8192},
		{8193, 12288},
		{12288, 12288},
		{12289, 16384},
		{65536, 65536},
		{65537, 69632},
		{1048576, 1048576},
		{67108992, 67112960},
	};

	for (auto &c : kCosts)
		EXPECT_EQ(c.cost, buffer_cost(c.size));
}

CCM_TEST(limit, charge_of__counts_the_header)
{
	EXPECT_EQ(256, charge_of(0));
	EXPECT_EQ(256, charge_of(128));
	EXPECT_EQ(512, charge_of(129));
	EXPECT_EQ(8192, charge_of(8192 - 128));
	EXPECT_EQ(12288, charge_of(8192 - 127));
	EXPECT_EQ(CCM_SIZE_MAX + 4096, charge_of(CCM_SIZE_MAX));
}

CCM_TEST(limit, charge_of__never_falls)
{
	u64 before = 0;

	for (u32 size = 0; size < 70000; size++) {
		u64 charge = charge_of(size);

		REQUIRE(charge >= before && charge >= size + kMessageOverhead);
		before = charge;
	}
}

// --- sending -----------------------------------------------------------------------

CCM_TEST(limit, has_room__up_to_the_limit)
{
	static const struct {
		u64 sent;
		u64 limit;
		u64 charge;
		bool room;
	} kCases[] = {
		{0, 0, 0, true},
		{0, 0, 1, false},
		{0, 256, 256, true},
		{0, 255, 256, false},
		{100, 356, 256, true},
		{101, 356, 256, false},
		{356, 356, 1, false},
		{400, 356, 1, false}, // the limit was made anew below
		{400, 356, 0, false},
		{0, kMost, kMost, true},
		{1, kMost, kMost, false},
		{kMost, kMost, 1, false},
		{kMost, kMost, 0, true},
		{kMost, 1, 1, false},
		{kMost - 255, kMost, 256, false}, // the sum would overflow
		{kMost - 256, kMost, 256, true},
	};

	for (auto &c : kCases) {
		SendLimit limit{.sent = c.sent, .limit = c.limit};

		EXPECT_EQ(c.room, limit.has_room(c.charge));
	}
}

// --- receiving ---------------------------------------------------------------------

CCM_TEST(limit, earned__is_the_window_at_first)
{
	EXPECT_EQ(64 * kKi, receiver(1000, 64 * kKi).earned());
}

CCM_TEST(limit, earned__stands_still_while_nothing_is_taken)
{
	ReceiveLimit limit = receiver(1000, 64 * kKi);

	for (int i = 0; i < 10; i++)
		limit.take_in(kKi);
	EXPECT_EQ(64 * kKi, limit.earned());
	EXPECT_EQ(10 * kKi, limit.held);
}

CCM_TEST(limit, earned__grows_by_what_is_taken)
{
	ReceiveLimit limit = receiver(1000, 64 * kKi);

	limit.take_in(10 * kKi);
	limit.give_back(4 * kKi);
	EXPECT_EQ(68 * kKi, limit.earned());
}

CCM_TEST(limit, earned__when_more_is_held_than_may_be)
{
	// The window became smaller.
	ReceiveLimit limit = receiver(1000, 64 * kKi);

	limit.take_in(40 * kKi);
	limit.window = 16 * kKi;
	EXPECT_EQ(40 * kKi, limit.earned());
	limit.give_back(30 * kKi);
	EXPECT_EQ(46 * kKi, limit.earned());
}

CCM_TEST(limit, step__is_a_quarter_or_what_the_largest_message_leaves)
{
	static const struct {
		u32 max_size;
		u64 window;
		u64 step;
	} kCases[] = {
		{100, 64 * kKi, 16 * kKi},
		{CCM_SIZE_DEFAULT, CCM_WINDOW_DEFAULT, kKi * kKi},
		{60 * 1024, 64 * kKi, 1},	 // with its header it takes all
		{CCM_SIZE_DEFAULT, 16 * kKi, 1}, // it does not even fit
		{8192 - 128, 8192, 1},		 // nothing is left over
		{8192 - 128, 8193, 1},
		{8192 - 128, 8292, 100},
	};

	for (auto &c : kCases)
		EXPECT_EQ(c.step, receiver(c.max_size, c.window).step());
}

CCM_TEST(limit, worth_telling__after_a_step)
{
	ReceiveLimit limit = receiver(1000, 64 * kKi);

	EXPECT(!limit.worth_telling());
	limit.take_in(16 * kKi);
	limit.give_back(16 * kKi - 1);
	EXPECT(!limit.worth_telling());
	limit.give_back(1);
	EXPECT(limit.worth_telling());
	limit.tell();
	EXPECT(!limit.worth_telling());
	EXPECT_EQ(80 * kKi, limit.announced);
}

CCM_TEST(limit, tell__never_takes_back)
{
	ReceiveLimit limit = receiver(5000, 64 * kKi);

	limit.window = 16 * kKi;
	limit.max_size = 100;
	limit.tell();
	EXPECT_EQ(64 * kKi, limit.announced);
	EXPECT_EQ(5000, limit.max_announced);
	limit.max_size = 6000;
	limit.window = 128 * kKi;
	limit.tell();
	EXPECT_EQ(128 * kKi, limit.announced);
	EXPECT_EQ(6000, limit.max_announced);
}

CCM_TEST(limit, allows__what_was_told_and_no_more)
{
	ReceiveLimit limit = receiver(2000, 4096);

	EXPECT(limit.allows(0));
	EXPECT(limit.allows(2000));
	EXPECT(!limit.allows(2001));
	limit.take_in(4096 - 256);
	EXPECT(limit.allows(128));
	EXPECT(!limit.allows(129));
	limit.take_in(256);
	EXPECT(!limit.allows(0));
	limit.give_back(4096);
	EXPECT(!limit.allows(0)); // earned, but not told
	limit.tell();
	EXPECT(limit.allows(0));
}

CCM_TEST(limit, allows__nothing_before_anything_is_told)
{
	ReceiveLimit limit{.window = 4096, .max_size = 100};

	EXPECT(!limit.allows(0));
}

CCM_TEST(limit, allows__without_overflow)
{
	ReceiveLimit limit{.received = kMost - 255,
			   .announced = kMost,
			   .max_announced = 1000};

	EXPECT(!limit.allows(0));
	limit.received--;
	EXPECT(limit.allows(0));
}

// --- both ends together ------------------------------------------------------------------

namespace {

// A sender, a receiver, and the wires between them, where things take time.
class Traffic {
public:
	Traffic(ccm_test *test_, u64 seed)
		: test(test_), random_(seed), max_size_(pick_size()),
		  window_(charge_of(max_size_) +
			  random_.below(4) * random_.below(100000))
	{
		receive_.window = window_;
		receive_.max_size = max_size_;
		announce();
		hear();
	}
	bool step()
	{
		switch (random_.below(4)) {
		case 0:
			return send();
		case 1:
			return arrive();
		case 2:
			return take();
		default:
			hear();
			return true;
		}
	}
	// All arrives, all is taken, all is told: then the largest must fit.
	bool comes_to_rest()
	{
		while (first_ != last_)
			if (!arrive())
				return false;
		while (receive_.held)
			if (!take())
				return false;
		hear();
		return EXPECT(send_.has_room(charge_of(max_size_)));
	}

private:
	enum : u32 { kUnderWay = 64 };

	u32 pick_size()
	{
		static const u32 kSizes[] = {0, 100, 1000, 8064, 8065, 70000};

		return kSizes[random_.below(6)];
	}
	bool send()
	{
		u32 size = random_.below(3) ? random_.below(max_size_ + 1)
					    : max_size_;

		if (last_ - first_ == kUnderWay ||
		    !send_.has_room(charge_of(size)))
			return true;
		send_.sent += charge_of(size);
		sizes_[last_++ % kUnderWay] = size;
		return true;
	}
	bool arrive()
	{
		if (first_ == last_)
			return true;
		u32 size = sizes_[first_++ % kUnderWay];

		if (!EXPECT(receive_.allows(size)))
			return false;
		receive_.take_in(charge_of(size));
		queued_[queue_end_++ % kQueue] = charge_of(size);
		return EXPECT(receive_.held <= window_) &&
		       EXPECT(queue_end_ - queue_begin_ <= kQueue);
	}
	bool take()
	{
		if (queue_begin_ == queue_end_)
			return EXPECT_EQ(0, receive_.held);
		receive_.give_back(queued_[queue_begin_++ % kQueue]);
		if (receive_.worth_telling())
			announce();
		return true;
	}
	void announce()
	{
		u64 before = receive_.announced;

		receive_.tell();
		EXPECT(receive_.announced > before);
		on_the_way_ = receive_.announced;
	}
	void hear()
	{
		send_.limit = on_the_way_;
	}

	enum : u32 { kQueue = 2048 }; // the window has room for no more

	ccm_test *test;
	Random random_;
	const u32 max_size_;
	const u64 window_;
	SendLimit send_;
	ReceiveLimit receive_;
	u32 sizes_[kUnderWay];
	u32 first_ = 0, last_ = 0;
	u64 on_the_way_ = 0;
	static u64 queued_[kQueue];
	u32 queue_begin_ = 0, queue_end_ = 0;
};

u64 Traffic::queued_[kQueue];

} // namespace

CCM_TEST(limit, traffic__never_comes_to_a_stop)
{
	for (u64 seed = 0; seed < 300; seed++) {
		Traffic traffic(test, seed);

		for (int i = 0; i < 500; i++)
			REQUIRE(traffic.step());
		REQUIRE(traffic.comes_to_rest());
	}
}
