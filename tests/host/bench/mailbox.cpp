// SPDX-License-Identifier: GPL-2.0
// Receivers that wait each for its own sequence number, messages that are queued.
#include "core/mailbox.hpp"

#include "bench/cases.hpp"

using namespace ccm;

namespace {

constexpr u32 kModule = 7;
constexpr u32 kNodes = 8;

Key key_of(u32 nth)
{
	return {.node = 1 + nth % kNodes, .type = 1, .seqn = nth};
}

struct Box : Mailbox {
	Box() : Mailbox(kModule)
	{
		if (!attach({1u << 20, 4u << 20}, nullptr).ok())
			bench::die("no mailbox");
	}
};

struct Crowd {
	explicit Crowd(u32 others)
		: count(others),
		  receivers(static_cast<Receiver *>(
			  ccm_object_alloc(count * sizeof(Receiver), true)))
	{
		for (u32 nth = 0; nth < count; nth++)
			post(nth);
	}
	~Crowd()
	{
		box.shut();
		ccm_object_free(receivers);
	}
	void post(u32 nth)
	{
		Receiver *receiver = new (&receivers[nth])
			Receiver(Want::of(kWithAll, key_of(nth)), &byte, 1);

		if (!box.post(*receiver))
			bench::die("there is nothing to be received");
	}

	Box box;
	const u32 count;
	Receiver *const receivers;
	u8 byte = 0;
};

struct Place : Crowd {
	using Crowd::Crowd;

	void step(u32 chance)
	{
		u32 nth = chance % count;
		Placement placement;

		placement.mailbox = &box;
		placement.key = key_of(nth);
		if (!box.place(placement) || !box.finish(placement))
			bench::die("nobody has it");
		post(nth);
	}
};

struct Cancel : Crowd {
	using Crowd::Crowd;

	void step(u32 chance)
	{
		u32 nth = chance % count;

		if (box.cancel(Want::of(kWithAll, key_of(nth)), ECANCELED) != 1)
			bench::die("it does not wait");
		post(nth);
	}
};

// Of each that is taken another comes.
struct Queue {
	explicit Queue(u32 others) : count(others)
	{
		for (u32 nth = 0; nth < count; nth++)
			deliver(nth);
	}
	void deliver(u32 nth)
	{
		Message *message =
			Message::make(kModule, key_of(nth), 0, MaySleep::Yes);

		if (!message)
			bench::die("no message");
		box.deliver(message);
	}
	Message *take(u32 form, u32 nth)
	{
		Receiver receiver(Want::of(form, key_of(nth)), nullptr, 0);
		u32 size;
		auto taken = box.take(receiver, &size);

		if (!taken.ok())
			bench::die("it is not there");
		return taken.value();
	}

	Box box;
	const u32 count;
};

struct Take : Queue {
	using Queue::Queue;

	// By whatever names it.
	void step(u32 chance)
	{
		Message *taken = take(chance / 7 % kForms, chance % count);

		box.deliver(taken);
	}
};

} // namespace

constexpr bench::Case bench::kPlace = make_case<Place>(
	"place",
	"a message comes into a receiver's buffer, and the receiver again");
constexpr bench::Case bench::kTake = make_case<Take>(
	"take",
	"a message is taken, by all that can be named, and queued again");
constexpr bench::Case bench::kCancel =
	make_case<Cancel>("cancel", "a receiver is cancelled, and waits again");
