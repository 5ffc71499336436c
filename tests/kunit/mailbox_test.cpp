// SPDX-License-Identifier: GPL-2.0
#include "core/mailbox.hpp"

#include "arrival.hpp"
#include "background.hpp"
#include "box.hpp"
#include "memory.hpp"
#include "random.hpp"
#include "support/errno.hpp"
#include "test.hpp"
#include "walk.hpp"

using namespace ccm;
using namespace ccm_testing;
using State = Receiver::State;

namespace {

constexpr Key key(u32 seqn, u32 node = 1, u32 type = 1)
{
	return {.node = node, .type = type, .seqn = seqn};
}

constexpr Want exactly(u32 seqn, u32 node = 1, u32 type = 1)
{
	return {.node = node,
		.type = type,
		.seqn = seqn,
		.any_node = false,
		.any_seqn = false};
}

constexpr Want any_seqn(u32 node = 1)
{
	return {.node = node,
		.type = 1,
		.seqn = 0,
		.any_node = false,
		.any_seqn = true};
}

constexpr Want anything()
{
	return {.node = CCM_ANY_NODE,
		.type = 1,
		.seqn = 0,
		.any_node = true,
		.any_seqn = true};
}

constexpr Want any_node(u32 seqn)
{
	return {.node = CCM_ANY_NODE,
		.type = 1,
		.seqn = seqn,
		.any_node = true,
		.any_seqn = false};
}

// A receiver with a buffer of its own.
struct Buffered : Receiver {
	explicit Buffered(const Want &want_, size_t room_ = sizeof(bytes))
		: Receiver(want_, bytes, room_)
	{
	}
	// It has message seqn, of this size, in its buffer or by pointer.
	bool got(u32 seqn, u32 of_size)
	{
		if (state != State::Done || error)
			return false;
		if (message)
			return message->key.seqn == seqn &&
			       message->size == of_size && is_right(message);
		return key.seqn == seqn && size == of_size &&
		       is_right(bytes, of_size, seqn);
	}
	~Buffered()
	{
		Message::drop(message);
	}

	u8 bytes[100];
};

// A receiver that is handed over what comes.
struct ByPointer : Receiver {
	explicit ByPointer(const Want &want_) : Receiver(want_, nullptr, 0)
	{
	}
	bool got(u32 seqn, u32 of_size)
	{
		return state == State::Done && !error && message &&
		       message->key.seqn == seqn && message->size == of_size &&
		       is_right(message);
	}
	~ByPointer()
	{
		Message::drop(message);
	}
};

// Whether its thread would go on to sleep.
bool sleeps(const Receiver &receiver)
{
	return !receiver.sleeper.ended() && !receiver.given_up.load();
}

bool failed(const Receiver &receiver, int error)
{
	return receiver.state == State::Done && receiver.error == error;
}

void deliver(Mailbox &box, const Key &of, u32 size = 10)
{
	if (Message *message = make_message(kModule, of, size))
		box.deliver(message);
}

u64 queued(Mailbox &box)
{
	ccm_consumer_info info{};

	box.report(info);
	return info.messages;
}

u32 asleep(Mailbox &box)
{
	ccm_consumer_info info{};

	box.report(info);
	return info.receivers;
}

Status detach(Mailbox &box)
{
	TRY(box.begin_detach());
	box.finish_detach();
	return {};
}

// Take the first that is wanted, and say its sequence number: or a negative errno.
int take(Mailbox &box, const Want &want)
{
	ByPointer receiver(want);
	u32 size = 0;
	auto taken = box.take(receiver, &size);

	if (!taken.ok())
		return -taken.error();
	Message *message = taken.value();
	int seqn = is_right(message) ? static_cast<int>(message->key.seqn)
				     : -EPROTO;
	Message::drop(message);
	return seqn;
}

// As a thread that receives does it. Its error, or 0.
int receive(Mailbox &box, Receiver &receiver, int timeout_ms)
{
	if (box.post(receiver)) {
		int ended = receiver.wait(timeout_ms);

		box.withdraw(receiver, -ended);
	}
	return receiver.error;
}

} // namespace

// --- what matches ------------------------------------------------------------------

CCM_TEST(mailbox, take__matches_by_node_type_and_seqn)
{
	static constexpr struct {
		Want want;
		Key key;
		bool matches;
	} kCases[] = {
		{exactly(5, 1, 2), key(5, 1, 2), true},
		{exactly(5, 1, 2), key(6, 1, 2), false},
		{exactly(5, 1, 2), key(5, 3, 2), false},
		{exactly(5, 1, 2), key(5, 1, 3), false},
		{exactly(0, 1, 0), key(0, 1, 0), true},
		{exactly(~0u, 1023, ~0u), key(~0u, 1023, ~0u), true},
		{any_seqn(1), key(0), true},
		{any_seqn(1), key(~0u), true},
		{any_seqn(1), key(0, 2), false},
		{any_seqn(1), key(0, 1, 2), false},
		{any_node(5), key(5, 1), true},
		{any_node(5), key(5, 1023), true},
		{any_node(5), key(6, 1), false},
		{any_node(5), key(5, 1, 2), false},
		{anything(), key(77, 9), true},
		{anything(), key(77, 9, 2), false},
	};

	for (auto &c : kCases) {
		Box box;
		ByPointer receiver(c.want);

		EXPECT_EQ(c.matches, matches(c.want, c.key));
		deliver(box, c.key);
		EXPECT_EQ(c.matches, take(box, c.want) != -EAGAIN);
		box.post(receiver);
		deliver(box, c.key);
		EXPECT_EQ(c.matches, receiver.message != nullptr);
		box.shut();
	}
}

CCM_TEST(mailbox, cancel__covers_what_waits_for_the_same_or_less)
{
	static constexpr struct {
		Want cancelled;
		Want waiting;
		bool covers;
	} kCases[] = {
		{exactly(5), exactly(5), true},
		{exactly(5), exactly(6), false},
		{exactly(5), exactly(5, 2), false},
		{exactly(5), exactly(5, 1, 2), false},
		{exactly(5), any_seqn(), false},
		{exactly(5),
		 {1, 1, 5, true, false},
		 false}, // any, said otherwise
		{exactly(5), any_node(5), false},
		{any_seqn(1), exactly(5), true},
		{any_seqn(1), any_seqn(1), true},
		{any_seqn(1), any_seqn(2), false},
		{any_seqn(1), anything(), false},
		{any_node(5), exactly(5), true},
		{any_node(5), exactly(5, 9), true},
		{any_node(5), any_node(5), true},
		{any_node(5), any_node(6), false},
		{any_node(5), anything(), false},
		{anything(), anything(), true},
		{anything(), exactly(5, 9), true},
		{anything(), exactly(5, 9, 2), false},
	};

	for (auto &c : kCases) {
		Box box;
		ByPointer receiver(c.waiting);

		EXPECT_EQ(c.covers, covers(c.cancelled, c.waiting));
		box.post(receiver);
		EXPECT_EQ(c.covers, box.cancel(c.cancelled, ECANCELED));
		EXPECT_EQ(c.covers, failed(receiver, ECANCELED));
		box.shut();
	}
}

// --- take --------------------------------------------------------------------------

CCM_TEST(mailbox, take__nothing_there)
{
	Box box;

	EXPECT_EQ(-EAGAIN, take(box, anything()));
}

CCM_TEST(mailbox, take__nothing_that_matches)
{
	Box box;

	deliver(box, key(5));
	EXPECT_EQ(-EAGAIN, take(box, exactly(6)));
	EXPECT_EQ(-EAGAIN, take(box, exactly(5, 2)));
	EXPECT_EQ(-EAGAIN, take(box, exactly(5, 1, 2)));
	EXPECT_EQ(-EAGAIN, take(box, any_node(6)));
	EXPECT_EQ(1, queued(box));
}

CCM_TEST(mailbox, take__first_come_first_served)
{
	Box box;

	for (u32 seqn = 1; seqn <= 4; seqn++)
		deliver(box, key(seqn, seqn % 2 + 1)); // nodes 2, 1, 2, 1
	EXPECT_EQ(2, take(box, any_seqn(1)));
	EXPECT_EQ(1, take(box, anything()));
	EXPECT_EQ(3, take(box, anything()));
	EXPECT_EQ(4, take(box, any_node(4)));
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, take__equal_messages_in_order)
{
	Box box;

	deliver(box, key(5), 1);
	deliver(box, key(5), 2);
	deliver(box, key(5), 3);
	for (u32 size = 1; size <= 3; size++) {
		ByPointer receiver(exactly(5));
		u32 told = 0;
		auto taken = box.take(receiver, &told);

		REQUIRE(taken.ok());
		EXPECT_EQ(size, told);
		EXPECT_EQ(size, taken.value()->size);
		Message::drop(taken.value());
	}
}

CCM_TEST(mailbox, take__types_do_not_mix)
{
	Box box;

	// More types than there are buckets.
	for (u32 seqn = 0; seqn < 100; seqn++)
		deliver(box, key(seqn, 1, seqn % 50));
	for (u32 type = 50; type-- > 0;) {
		Want want = any_seqn();

		want.type = type;
		EXPECT_EQ(type, take(box, want));
		EXPECT_EQ(type + 50, take(box, want));
		EXPECT_EQ(-EAGAIN, take(box, want));
	}
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, take__too_large_stays_where_it_is)
{
	Box box;
	Buffered small(any_seqn(), 9);
	u32 size = 0;

	deliver(box, key(1), 10);
	deliver(box, key(2), 5);
	EXPECT_EQ(EMSGSIZE, box.take(small, &size).error());
	EXPECT_EQ(10, size);
	EXPECT_EQ(1, take(box, any_seqn())); // still the first
}

CCM_TEST(mailbox, take__just_large_enough)
{
	Box box;
	Buffered receiver(any_seqn(), 10);
	u32 size = 0;

	deliver(box, key(1), 10);
	auto taken = box.take(receiver, &size);
	REQUIRE(taken.ok());
	Message::drop(taken.value());
}

// --- post --------------------------------------------------------------------------

CCM_TEST(mailbox, post__gets_what_is_queued)
{
	Box box;
	Buffered receiver(exactly(2));

	deliver(box, key(1));
	deliver(box, key(2), 20);
	EXPECT(!box.post(receiver));
	EXPECT(receiver.got(2, 20));
	EXPECT_EQ(1, queued(box));
	EXPECT_EQ(0, asleep(box));
}

CCM_TEST(mailbox, post__waits_when_nothing_matches)
{
	Box box;
	Buffered receiver(exactly(2));

	deliver(box, key(1));
	EXPECT(box.post(receiver));
	EXPECT(receiver.state == State::Posted);
	EXPECT(sleeps(receiver));
	EXPECT_EQ(1, asleep(box));
	box.withdraw(receiver, ETIMEDOUT);
}

CCM_TEST(mailbox, post__too_small_for_what_is_queued)
{
	Box box;
	Buffered small(any_seqn(), 9);
	Buffered large(any_seqn());

	deliver(box, key(1), 10);
	deliver(box, key(2), 5);
	EXPECT(!box.post(small));
	EXPECT(failed(small, EMSGSIZE));
	EXPECT_EQ(10, small.size);
	EXPECT(!box.post(large));
	EXPECT(large.got(1, 10));
}

CCM_TEST(mailbox, post__nobody_is_attached)
{
	Mailbox box(kModule);
	Buffered receiver(anything());

	EXPECT(!box.post(receiver));
	EXPECT(failed(receiver, ESHUTDOWN));
	EXPECT_EQ(0, asleep(box));
}

CCM_TEST(mailbox, post__after_it_was_shut)
{
	Box box;
	Buffered receiver(anything());

	deliver(box, key(1));
	box.shut();
	EXPECT(!box.post(receiver));
	EXPECT(failed(receiver, ESHUTDOWN));
}

// --- deliver -----------------------------------------------------------------------

CCM_TEST(mailbox, deliver__to_the_one_that_has_waited_longest)
{
	Box box;
	ByPointer first(any_seqn()), second(any_seqn()), third(any_seqn());

	box.post(first);
	box.post(second);
	box.post(third);
	for (u32 seqn = 1; seqn <= 4; seqn++)
		deliver(box, key(seqn));
	EXPECT(first.got(1, 10));
	EXPECT(second.got(2, 10));
	EXPECT(third.got(3, 10));
	EXPECT_EQ(4, take(box, any_seqn()));
}

CCM_TEST(mailbox, deliver__passes_by_those_that_want_something_else)
{
	Box box;
	ByPointer other_seqn(exactly(2)), other_node(any_seqn(2)),
		other_type(exactly(1, 1, 2)), right(any_node(1));

	box.post(other_seqn);
	box.post(other_node);
	box.post(other_type);
	box.post(right);
	deliver(box, key(1));
	EXPECT(right.got(1, 10));
	EXPECT_EQ(3, asleep(box));
	box.shut();
	EXPECT(failed(other_seqn, ESHUTDOWN));
	EXPECT(failed(other_node, ESHUTDOWN));
	EXPECT(failed(other_type, ESHUTDOWN));
}

CCM_TEST(mailbox, deliver__too_large_for_the_first)
{
	Box box;
	Buffered small(any_seqn(), 9), smaller(any_seqn(), 0),
		large(any_seqn());

	box.post(small);
	box.post(smaller);
	box.post(large);
	deliver(box, key(1), 10);
	EXPECT(failed(small, EMSGSIZE));
	EXPECT_EQ(10, small.size);
	EXPECT(failed(smaller, EMSGSIZE));
	EXPECT_EQ(10, smaller.size);
	EXPECT(large.got(1, 10));
}

CCM_TEST(mailbox, deliver__too_large_for_all)
{
	Box box;
	Buffered small(any_seqn(), 9), other(any_seqn(2), 9);

	box.post(small);
	box.post(other);
	deliver(box, key(1), 10);
	EXPECT(failed(small, EMSGSIZE));
	EXPECT(other.state == State::Posted); // it is none of its business
	EXPECT_EQ(1, take(box, any_seqn()));
	box.shut();
}

CCM_TEST(mailbox, deliver__empty_message_needs_no_room)
{
	Box box;
	Buffered receiver(any_seqn(), 0);

	box.post(receiver);
	deliver(box, key(1), 0);
	EXPECT(receiver.got(1, 0));
}

// --- arriving ----------------------------------------------------------------------

CCM_TEST(mailbox, place__straight_into_a_posted_buffer)
{
	Box box;
	Buffered receiver(any_seqn());

	box.post(receiver);
	Arrival arrival(box, key(1), 100);
	EXPECT(arrival.placed());
	EXPECT(receiver.state == State::Filling);
	arrival.fill(1);
	arrival.fill(40);
	EXPECT(sleeps(receiver));
	EXPECT(is_right(receiver.bytes, 41, 1));
	EXPECT(arrival.finish());
	EXPECT(!sleeps(receiver));
	EXPECT(receiver.message == nullptr);
	EXPECT(receiver.got(1, 100));
	EXPECT_EQ(1, receiver.key.node);
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, place__empty_message)
{
	Box box;
	Buffered receiver(any_seqn(), 0);

	box.post(receiver);
	Arrival arrival(box, key(1), 0);
	EXPECT(arrival.placed());
	EXPECT(arrival.finish());
	EXPECT(receiver.got(1, 0));
}

CCM_TEST(mailbox, place__nobody_waits)
{
	Box box;
	Arrival arrival(box, key(1), 100);

	EXPECT(!arrival.placed());
	arrival.fill(50);
	EXPECT_EQ(0, queued(box)); // not before it is whole
	EXPECT_EQ(-EAGAIN, take(box, any_seqn()));
	EXPECT(!arrival.finish());
	EXPECT_EQ(1, take(box, any_seqn()));
}

CCM_TEST(mailbox, place__handed_over_when_it_is_whole)
{
	Box box;
	ByPointer receiver(any_seqn());

	box.post(receiver);
	Arrival arrival(box, key(1), 100);
	EXPECT(!arrival.placed());
	arrival.fill(99);
	EXPECT(receiver.state == State::Posted);
	EXPECT(!arrival.finish());
	EXPECT(receiver.got(1, 100));
}

CCM_TEST(mailbox, place__by_pointer_is_served_before_a_later_buffer)
{
	Box box;
	ByPointer first(any_seqn());
	Buffered second(any_seqn());

	box.post(first);
	box.post(second);
	Arrival arrival(box, key(1), 10);
	EXPECT(!arrival.placed());
	EXPECT(!arrival.finish());
	EXPECT(first.got(1, 10));
	EXPECT(second.state == State::Posted);
	box.shut();
}

CCM_TEST(mailbox, place__too_large_for_the_first)
{
	Box box;
	Buffered small(any_seqn(), 9), large(any_seqn());

	box.post(small);
	box.post(large);
	Arrival arrival(box, key(1), 10);
	EXPECT(!arrival.placed());
	EXPECT(small.state == State::Posted); // told when the message is there
	EXPECT(!arrival.finish());
	EXPECT(failed(small, EMSGSIZE));
	EXPECT_EQ(10, small.size);
	EXPECT(large.got(1, 10));
}

CCM_TEST(mailbox, place__too_large_for_all_is_kept)
{
	Box box;
	Buffered small(any_seqn(), 9);

	box.post(small);
	Arrival arrival(box, key(1), 10);
	EXPECT(!arrival.placed());
	EXPECT(!arrival.finish());
	EXPECT(failed(small, EMSGSIZE));
	EXPECT_EQ(1, take(box, any_seqn()));
}

CCM_TEST(mailbox, place__one_that_is_being_filled_gets_no_other)
{
	Box box;
	Buffered first(anything()), second(anything());

	box.post(first);
	box.post(second);
	Arrival one(box, key(1, 1), 10);
	Arrival two(box, key(2, 2), 20);
	Arrival three(box, key(3, 3), 30);
	EXPECT(one.placed() && two.placed() && !three.placed());
	EXPECT(!three.finish());
	EXPECT(two.finish());
	EXPECT(one.finish());
	EXPECT(first.got(1, 10));
	EXPECT(second.got(2, 20));
	EXPECT_EQ(3, take(box, anything()));
}

CCM_TEST(mailbox, finish__serves_who_came_meanwhile)
{
	Box box;
	Buffered receiver(any_seqn());
	Arrival arrival(box, key(1), 100);

	arrival.fill(50);
	EXPECT(box.post(receiver));
	EXPECT(receiver.state == State::Posted);
	EXPECT(!arrival.finish());
	EXPECT(receiver.got(1, 100));
	EXPECT(receiver.message != nullptr);
}

CCM_TEST(mailbox, finish__too_large_for_who_came_meanwhile)
{
	Box box;
	Buffered small(any_seqn(), 99);
	Arrival arrival(box, key(1), 100);

	EXPECT(box.post(small));
	EXPECT(!arrival.finish());
	EXPECT(failed(small, EMSGSIZE));
	EXPECT_EQ(100, small.size);
	EXPECT_EQ(1, take(box, any_seqn()));
}

// --- abandon -----------------------------------------------------------------------

CCM_TEST(mailbox, abandon__drops_half_a_message)
{
	Box box;
	Arrival arrival(box, key(1), 100);

	arrival.fill(50);
	arrival.abandon();
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, abandon__puts_the_receiver_back_in_its_place)
{
	Box box;
	ByPointer before(exactly(2));
	Buffered first(any_seqn()), second(any_seqn());

	box.post(before);
	box.post(first);
	box.post(second);
	Arrival broken(box, key(1), 100);
	broken.fill(50);
	broken.abandon();
	EXPECT(first.state == State::Posted);
	EXPECT(sleeps(first));
	EXPECT_EQ(3, asleep(box));

	Arrival arrival(box, key(3), 20);
	EXPECT(arrival.placed());
	EXPECT(first.state == State::Filling);
	EXPECT(arrival.finish());
	EXPECT(first.got(3, 20));
	EXPECT(second.state == State::Posted);
	box.shut();
}

CCM_TEST(mailbox, abandon__serves_from_the_queue)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival broken(box, key(1, 1), 100);
	broken.fill(99);
	deliver(box, key(2, 2), 20); // nobody is free for it
	EXPECT_EQ(1, queued(box));
	broken.abandon();
	EXPECT(receiver.got(2, 20));
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, abandon__too_small_for_what_is_queued)
{
	Box box;
	Buffered receiver(anything(), 15);

	box.post(receiver);
	Arrival broken(box, key(1, 1), 10);
	deliver(box, key(2, 2), 20);
	broken.abandon();
	EXPECT(failed(receiver, EMSGSIZE));
	EXPECT_EQ(20, receiver.size);
	EXPECT_EQ(2, take(box, anything()));
}

CCM_TEST(mailbox, abandon__ends_one_that_was_cancelled)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival broken(box, key(1, 1), 100);
	deliver(box, key(2, 2), 20);
	EXPECT_EQ(1, box.cancel(anything(), ECANCELED));
	broken.abandon();
	EXPECT(failed(receiver, ECANCELED));
	EXPECT_EQ(2, take(box, anything())); // it is not lost
}

// --- withdraw ----------------------------------------------------------------------

CCM_TEST(mailbox, withdraw__while_posted)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	box.withdraw(receiver, ETIMEDOUT);
	EXPECT(failed(receiver, ETIMEDOUT));
	EXPECT_EQ(0, asleep(box));
	deliver(box, key(1));
	EXPECT_EQ(1, queued(box));
}

CCM_TEST(mailbox, withdraw__when_done_changes_nothing)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	deliver(box, key(1));
	box.withdraw(receiver, ETIMEDOUT);
	EXPECT(receiver.got(1, 10));
}

CCM_TEST(mailbox, withdraw__while_filling_at_every_byte)
{
	for (u32 filled = 0; filled <= 20; filled++) {
		Box box;
		Buffered receiver(anything());

		box.post(receiver);
		Arrival arrival(box, key(1), 20);
		arrival.fill(filled);
		box.withdraw(receiver, ETIMEDOUT);
		EXPECT(failed(receiver, ETIMEDOUT));
		EXPECT_EQ(0, asleep(box));
		__builtin_memset(receiver.bytes, 0, sizeof(receiver.bytes));

		EXPECT(!arrival.finish());
		EXPECT_EQ(1, take(box, anything())); // all of it is right
	}
}

CCM_TEST(mailbox, withdraw__the_rest_goes_to_the_next_receiver)
{
	Box box;
	Buffered first(anything()), second(anything());

	box.post(first);
	box.post(second);
	Arrival arrival(box, key(1), 100);
	arrival.fill(30);
	box.withdraw(first, ECANCELED);
	arrival.fill(30);
	EXPECT(second.state == State::Posted);
	EXPECT(!arrival.finish());
	EXPECT(second.got(1, 100));
}

CCM_TEST(mailbox, withdraw__while_filling_and_then_it_breaks)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1), 20);
	arrival.fill(10);
	box.withdraw(receiver, ETIMEDOUT);
	arrival.abandon();
	EXPECT_EQ(0, queued(box));
}

CCM_TEST(mailbox, withdraw__leaves_with_why_it_was_given_up)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1), 20);
	EXPECT_EQ(1, box.cancel(anything(), ECANCELED));
	EXPECT(!sleeps(receiver)); // its thread wakes, and leaves
	box.withdraw(receiver, 0);
	EXPECT(failed(receiver, ECANCELED));
	EXPECT(!arrival.finish());
	EXPECT_EQ(1, take(box, anything()));
}

CCM_TEST(mailbox, withdraw__without_memory_waits_for_the_message)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1), 20);
	arrival.fill(10);
	{
		Background leaver([&] {
			OutOfMemory now;
			receiver.sleeper.begin();
			box.withdraw(receiver, ETIMEDOUT);
		});
		EXPECT(leaver.goes_on());
		EXPECT(arrival.finish());
		EXPECT(leaver.ends());
	}
	EXPECT(receiver.got(1, 20));
}

CCM_TEST(mailbox, withdraw__without_memory_ends_when_it_breaks)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1), 20);
	arrival.fill(10);
	{
		Background leaver([&] {
			OutOfMemory now;
			receiver.sleeper.begin();
			box.withdraw(receiver, ETIMEDOUT);
		});
		EXPECT(leaver.goes_on());
		arrival.abandon();
		if (!EXPECT(leaver.ends()))
			box.shut(); // so that the test does
	}
	EXPECT(failed(receiver, ETIMEDOUT));
	EXPECT_EQ(0, asleep(box));
}

CCM_TEST(mailbox, withdraw__without_memory_is_given_nothing_else)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1, 1), 20);
	deliver(box, key(2, 2), 30);
	{
		Background leaver([&] {
			OutOfMemory now;
			receiver.sleeper.begin();
			box.withdraw(receiver, ETIMEDOUT);
		});
		EXPECT(leaver.goes_on());
		arrival.abandon();
		Arrival next(box, key(3, 3), 90);
		EXPECT(!next.placed());
		EXPECT(leaver.ends());
		EXPECT(!next.finish());
	}
	EXPECT(failed(receiver, ETIMEDOUT));
	EXPECT_EQ(2, take(box, anything()));
	EXPECT_EQ(3, take(box, anything()));
}

CCM_TEST(mailbox, withdraw__from_a_large_buffer)
{
	constexpr u32 kLarge = 3 * kCopyLocked + 5;
	u8 *buffer =
		static_cast<u8 *>(ccm_buffer_alloc(kLarge, CCM_EFFORT_LONG));

	REQUIRE(buffer != nullptr);
	for (u32 filled = 0; filled <= kLarge; filled += kCopyLocked - 1) {
		Box box;
		Receiver receiver(anything(), buffer, kLarge);

		box.post(receiver);
		Arrival arrival(box, key(1), kLarge);
		arrival.fill(filled);
		box.withdraw(receiver, ETIMEDOUT);
		EXPECT(failed(receiver, ETIMEDOUT));
		__builtin_memset(buffer, 0, kLarge);
		EXPECT(!arrival.finish());
		EXPECT_EQ(1, take(box, anything()));
	}
	ccm_buffer_free(buffer, kLarge);
}

// Sometimes it leaves before the message is whole, sometimes just not, and
// sometimes it becomes whole while there is memory looked for.
CCM_TEST(mailbox, withdraw__while_the_rest_comes)
{
	constexpr u32 kLarge = 4 * kCopyLocked;
	constexpr u32 kRounds = 60;
	constexpr u32 kSpins = 100000;
	u8 *buffer =
		static_cast<u8 *>(ccm_buffer_alloc(kLarge, CCM_EFFORT_LONG));

	REQUIRE(buffer != nullptr);
	for (u32 round = 0; round < kRounds; round++) {
		Box box;
		Receiver receiver(anything(), buffer, kLarge);
		Atomic<bool> go{false};

		box.post(receiver);
		Arrival arrival(box, key(1), kLarge);
		arrival.fill(kLarge -
			     round * round * (kLarge / kRounds / kRounds));
		{
			// Both at the same time, if there is a processor
			// for each; else whoever waits makes room.
			Background filler([&] {
				for (u32 i = 0; !go.load(); i++)
					if (i >= kSpins)
						ccm_test_sleep(1);
				arrival.finish();
			});

			go.store(true);
			box.withdraw(receiver, ETIMEDOUT);
			if (failed(receiver, ETIMEDOUT))
				__builtin_memset(buffer, 0, kLarge);
			else
				EXPECT(!receiver.error &&
				       is_right(buffer, kLarge, 1));
			EXPECT(filler.ends());
		}
		EXPECT_EQ(receiver.error ? 1 : -EAGAIN, take(box, anything()));
	}
	ccm_buffer_free(buffer, kLarge);
}

// --- fail, cancel ------------------------------------------------------------------

CCM_TEST(mailbox, fail__only_while_nothing_has_come)
{
	Box box;
	Buffered posted(exactly(1)), filling(exactly(2)), done(exactly(3));

	box.post(posted);
	box.post(filling);
	box.post(done);
	Arrival arrival(box, key(2), 20);
	deliver(box, key(3));
	box.fail(posted, EHOSTDOWN);
	box.fail(filling, EHOSTDOWN);
	box.fail(done, EHOSTDOWN);
	EXPECT(failed(posted, EHOSTDOWN));
	EXPECT(arrival.finish());
	EXPECT(filling.got(2, 20));
	EXPECT(done.got(3, 10));
}

CCM_TEST(mailbox, cancel__exact)
{
	Box box;
	ByPointer same(exactly(5)), again(exactly(5)), seqn(exactly(6)),
		node(exactly(5, 2));

	box.post(same);
	box.post(seqn);
	box.post(node);
	box.post(again);
	EXPECT_EQ(2, box.cancel(exactly(5), ECANCELED));
	EXPECT(failed(same, ECANCELED));
	EXPECT(failed(again, ECANCELED));
	EXPECT_EQ(2, asleep(box));
	EXPECT_EQ(0, box.cancel(exactly(5), ECANCELED));
	box.shut();
}

CCM_TEST(mailbox, cancel__exact_leaves_those_that_want_more)
{
	Box box;
	ByPointer noseq(any_seqn()), any(any_node(5));

	box.post(noseq);
	box.post(any);
	EXPECT_EQ(0, box.cancel(exactly(5), ECANCELED));
	EXPECT_EQ(2, asleep(box));
	box.shut();
}

CCM_TEST(mailbox, cancel__any_node)
{
	Box box;
	ByPointer one(exactly(5, 1)), two(exactly(5, 2)), any(any_node(5)),
		seqn(exactly(6, 1));

	box.post(one);
	box.post(two);
	box.post(any);
	box.post(seqn);
	EXPECT_EQ(3, box.cancel(any_node(5), ECANCELED));
	EXPECT(failed(one, ECANCELED));
	EXPECT(failed(two, ECANCELED));
	EXPECT(failed(any, ECANCELED));
	EXPECT(seqn.state == State::Posted);
	box.shut();
}

CCM_TEST(mailbox, cancel__any_seqn)
{
	Box box;
	ByPointer one(exactly(5)), two(exactly(6)), noseq(any_seqn()),
		node(exactly(5, 2));

	box.post(one);
	box.post(two);
	box.post(noseq);
	box.post(node);
	EXPECT_EQ(3, box.cancel(any_seqn(1), ECANCELED));
	EXPECT(node.state == State::Posted);
	box.shut();
}

CCM_TEST(mailbox, cancel__nobody_waits)
{
	Box box;

	deliver(box, key(1));
	EXPECT_EQ(0, box.cancel(anything(), ECANCELED));
	EXPECT_EQ(1, take(box, anything()));
}

CCM_TEST(mailbox, cancel__loses_to_a_message_that_becomes_whole)
{
	Box box;
	Buffered receiver(anything());

	box.post(receiver);
	Arrival arrival(box, key(1), 20);
	EXPECT_EQ(1, box.cancel(anything(), ECANCELED));
	EXPECT(arrival.finish());
	EXPECT(receiver.got(1, 20));
}

CCM_TEST(mailbox, fail_node__those_that_wait_for_it_alone)
{
	Box box;
	ByPointer named(exactly(5, 2)), noseq(any_seqn(2)),
		other(exactly(5, 1)), any(anything());

	box.post(named);
	box.post(noseq);
	box.post(other);
	box.post(any);
	box.fail_node(2, EHOSTDOWN);
	EXPECT(failed(named, EHOSTDOWN));
	EXPECT(failed(noseq, EHOSTDOWN));
	EXPECT(other.state == State::Posted);
	EXPECT(any.state == State::Posted);
	box.shut();
}

CCM_TEST(mailbox, fail_node__one_that_is_being_filled)
{
	Box box;
	Buffered receiver(exactly(5, 2));

	box.post(receiver);
	Arrival arrival(box, key(5, 2), 20);
	box.fail_node(2, EHOSTDOWN);
	EXPECT(!sleeps(receiver));
	arrival.abandon();
	EXPECT(failed(receiver, EHOSTDOWN));
}

// --- the consumer ------------------------------------------------------------------

CCM_TEST(mailbox, attach__once)
{
	Mailbox box(kModule);

	EXPECT(!box.attached());
	EXPECT(box.attach(kLimits, nullptr).ok());
	EXPECT(box.attached());
	EXPECT_EQ(EBUSY, box.attach({1, 2}, nullptr).error());
	EXPECT_EQ(kLimits.window, box.limits().window);
	EXPECT_EQ(kLimits.max_size, box.limits().max_size);
}

CCM_TEST(mailbox, attach__after_it_was_shut)
{
	Mailbox box(kModule);

	box.shut();
	EXPECT_EQ(ESHUTDOWN, box.attach(kLimits, nullptr).error());
}

CCM_TEST(mailbox, attach__keeps_what_came_before)
{
	Mailbox box(kModule);

	deliver(box, key(1));
	EXPECT(box.attach(kLimits, nullptr).ok());
	EXPECT_EQ(1, take(box, anything()));
}

CCM_TEST(mailbox, limits__of_nobody)
{
	Mailbox box(kModule);

	EXPECT_EQ(kUnattached.window, box.limits().window);
	EXPECT_EQ(kUnattached.max_size, box.limits().max_size);
}

CCM_TEST(mailbox, enter__needs_a_consumer)
{
	Mailbox box(kModule);

	EXPECT_EQ(ENOENT, box.enter().error());
	EXPECT(box.attach(kLimits, nullptr).ok());
	EXPECT(box.enter().ok());
	box.leave();
	box.shut();
	EXPECT_EQ(ESHUTDOWN, box.enter().error());
}

CCM_TEST(mailbox, detach__nobody_is_attached)
{
	Mailbox box(kModule);

	EXPECT_EQ(ENOENT, detach(box).error());
	EXPECT(box.attach(kLimits, nullptr).ok());
	EXPECT(detach(box).ok());
	EXPECT_EQ(ENOENT, detach(box).error());
}

CCM_TEST(mailbox, detach__empties_the_queue)
{
	Box box;

	for (u32 seqn = 1; seqn <= 5; seqn++)
		deliver(box, key(seqn));
	EXPECT(detach(box).ok());
	EXPECT_EQ(0, queued(box));
	EXPECT_EQ(kUnattached.window, box.limits().window);
	EXPECT(box.attach(kLimits, nullptr).ok());
	EXPECT_EQ(-EAGAIN, take(box, anything()));
}

CCM_TEST(mailbox, detach__wakes_receivers_and_waits_until_they_have_left)
{
	Box box;
	Buffered receiver(anything());
	Atomic<bool> go{false};
	int error = 0;
	{
		Background consumer([&] {
			if (!box.enter().ok())
				return;
			error = receive(box, receiver, CCM_FOREVER);
			eventually([&] { return go.load(); });
			box.leave();
		});
		EXPECT(eventually([&] { return asleep(box) == 1; }));
		Background detacher([&] { EXPECT(detach(box).ok()); });
		EXPECT(detacher.goes_on());
		go.store(true);
		EXPECT(consumer.ends());
		EXPECT(detacher.ends());
	}
	EXPECT_EQ(ESHUTDOWN, error);
}

CCM_TEST(mailbox, detach__while_a_message_fills_a_receiver)
{
	Box box;
	Buffered receiver(anything());
	int error = 0;
	{
		Background consumer([&] {
			if (!box.enter().ok())
				return;
			error = receive(box, receiver, CCM_FOREVER);
			box.leave();
		});
		EXPECT(eventually([&] { return asleep(box) == 1; }));
		Arrival arrival(box, key(1), 20);
		EXPECT(arrival.placed());
		arrival.fill(10);
		EXPECT(detach(box).ok());
		EXPECT(consumer.ends());
		EXPECT(!arrival.finish());
	}
	EXPECT_EQ(ESHUTDOWN, error);
	EXPECT_EQ(1, queued(box)); // for whoever attaches next
}

CCM_TEST(mailbox, shut__wakes_everyone)
{
	Box box;
	Buffered posted(exactly(1)), filling(exactly(2));

	box.post(posted);
	box.post(filling);
	Arrival arrival(box, key(2), 20);
	box.shut();
	EXPECT(failed(posted, ESHUTDOWN));
	EXPECT(!sleeps(filling));
	box.withdraw(filling, 0);
	EXPECT(failed(filling, ESHUTDOWN));
	arrival.abandon();
}

CCM_TEST(mailbox, report__counts)
{
	Box box;
	Buffered receiver(exactly(9));
	ccm_consumer_info info{};

	deliver(box, key(1), 10);
	deliver(box, key(2), 1000);
	box.post(receiver);
	box.report(info);
	EXPECT_EQ(kModule, info.module);
	EXPECT(info.attached);
	EXPECT_EQ(kLimits.window, info.limits.window);
	EXPECT_EQ(1, info.receivers);
	EXPECT_EQ(2, info.messages);
	EXPECT_EQ(charge_of(10) + charge_of(1000), info.queued);
	box.shut();
	EXPECT_EQ(1, take(box, anything()));
	box.report(info);
	EXPECT_EQ(0, info.receivers);
	EXPECT_EQ(1, info.messages);
	EXPECT_EQ(charge_of(1000), info.queued);
}

CCM_TEST(mailbox, destroy__frees_what_is_queued)
{
	long before = ccm_memory_count();
	{
		Box box;

		deliver(box, key(1));
		deliver(box, key(2));
		EXPECT_EQ(before + 2, ccm_memory_count());
	}
	EXPECT_EQ(before, ccm_memory_count());
}

// --- threads -----------------------------------------------------------------------

CCM_TEST(mailbox, wait__is_woken_by_a_message)
{
	Box box;
	Buffered receiver(anything());
	int error = 1;
	{
		Background waiter(
			[&] { error = receive(box, receiver, CCM_FOREVER); });
		EXPECT(eventually([&] { return asleep(box) == 1; }));
		EXPECT(waiter.goes_on());
		deliver(box, key(1));
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(0, error);
	EXPECT(receiver.got(1, 10));
}

CCM_TEST(mailbox, wait__is_woken_by_a_filled_buffer)
{
	Box box;
	Buffered receiver(anything());
	int error = 1;
	{
		Background waiter(
			[&] { error = receive(box, receiver, CCM_FOREVER); });
		EXPECT(eventually([&] { return asleep(box) == 1; }));
		Arrival arrival(box, key(1), 100);
		arrival.fill(50);
		EXPECT(waiter.goes_on());
		EXPECT(arrival.finish());
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(0, error);
	EXPECT(receiver.got(1, 100));
}

CCM_TEST(mailbox, wait__is_woken_by_cancel)
{
	Box box;
	Buffered receiver(anything());
	int error = 0;
	{
		Background waiter(
			[&] { error = receive(box, receiver, CCM_FOREVER); });
		EXPECT(eventually([&] { return asleep(box) == 1; }));
		EXPECT_EQ(1, box.cancel(anything(), ECANCELED));
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(ECANCELED, error);
}

CCM_TEST(mailbox, wait__times_out)
{
	Box box;
	Buffered receiver(anything());

	EXPECT_EQ(ETIMEDOUT, receive(box, receiver, 20));
	EXPECT_EQ(0, asleep(box));
}

namespace {

// Messages come in pieces, some break; receivers come, wait a moment and go.
// Each message that became whole is received once, and is right.
class Storm {
public:
	void feed(u64 seed)
	{
		Random random(seed);

		for (u32 i = 0; i < kMessages; i++) {
			u32 size = random.below(90);
			Arrival arrival(box_, key(i), size);

			for (u32 n = random.below(3); n > 0; n--) {
				arrival.fill(size / 4);
				ccm_yield();
			}
			if (random.below(8) == 0) {
				arrival.abandon();
				continue;
			}
			arrival.finish();
			whole_.add(1);
		}
		feeders_.add(1);
	}
	void receive_until(u32 feeders)
	{
		Random random(feeders);

		while (feeders_.load() < feeders) {
			Buffered receiver(anything());

			if (receive(box_, receiver,
				    static_cast<int>(random.below(3))))
				continue;
			u32 seqn = receiver.message ? receiver.message->key.seqn
						    : receiver.key.seqn;
			u32 size = receiver.message ? receiver.message->size
						    : receiver.size;
			if (!receiver.got(seqn, size))
				wrong_.add(1);
			received_.add(1);
		}
	}
	// What is left over.
	void drain()
	{
		while (take(box_, anything()) >= 0)
			received_.add(1);
	}
	u32 whole() const
	{
		return whole_.load();
	}
	u32 received() const
	{
		return received_.load();
	}
	u32 wrong() const
	{
		return wrong_.load();
	}

private:
	enum : u32 { kMessages = 400 };

	Box box_;
	Atomic<u32> whole_, received_, wrong_, feeders_;
};

} // namespace

CCM_TEST(mailbox, storm__each_message_is_received_once)
{
	Storm *storm = create<Storm>(MaySleep::Yes);

	REQUIRE(storm != nullptr);
	{
		Background feeder([=] { storm->feed(1); });
		Background other([=] { storm->feed(2); });
		Background first([=] { storm->receive_until(2); });
		Background second([=] { storm->receive_until(2); });
	}
	storm->drain();
	EXPECT_EQ(storm->whole(), storm->received());
	EXPECT_EQ(0, storm->wrong());
	destroy(storm);
}
