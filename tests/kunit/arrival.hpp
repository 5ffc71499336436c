// SPDX-License-Identifier: GPL-2.0
// Messages whose bytes tell whether they are right, and how they arrive.
#pragma once

#include "core/mailbox.hpp"
#include "test.hpp"

namespace ccm_testing {

constexpr u8 byte_of(u32 seqn, u32 at)
{
	return static_cast<u8>(seqn * 37 + at * 11 + at / 256);
}

inline bool is_right(const u8 *data, u32 size, u32 seqn)
{
	for (u32 i = 0; i < size; i++)
		if (data[i] != byte_of(seqn, i))
			return false;
	return true;
}

inline bool is_right(ccm::Message *message)
{
	return is_right(message->payload(), message->size, message->key.seqn);
}

inline ccm::Message *make_message(u32 module, const ccm::Key &key, u32 size)
{
	ccm::Message *made =
		ccm::Message::make(module, key, size, ccm::MaySleep::Yes);

	for (u32 i = 0; made && i < size; i++)
		made->payload()[i] = byte_of(key.seqn, i);
	return made;
}

// A message on its way into a mailbox, in pieces, as the listener has it.
class Arrival {
public:
	Arrival(ccm::Mailbox &box, const ccm::Key &key, u32 size)
	{
		placement_.mailbox = &box;
		placement_.key = key;
		placement_.size = size;
		placed_ = box.place(placement_);
		if (!placed_)
			placement_.message = ccm::Message::make(
				box.module, key, size, ccm::MaySleep::Yes);
	}
	Arrival(const Arrival &) = delete;
	Arrival &operator=(const Arrival &) = delete;

	// Whether it goes straight to a receiver.
	bool placed() const
	{
		return placed_;
	}
	void fill(u32 count)
	{
		while (count > 0)
			count -= fill_some(count);
	}
	// With what is missing.
	bool finish()
	{
		fill(placement_.size - placement_.filled);
		return placement_.mailbox->finish(placement_);
	}
	void abandon()
	{
		ccm::Message::drop(placement_.mailbox->abandon(placement_));
	}

private:
	u32 fill_some(u32 count)
	{
		u8 some[64];

		if (count > sizeof(some))
			count = sizeof(some);
		for (u32 i = 0; i < count; i++)
			some[i] = byte_of(placement_.key.seqn,
					  placement_.filled + i);
		placement_.mailbox->fill(placement_, some, count);
		return count;
	}

	ccm::Placement placement_;
	bool placed_;
};

} // namespace ccm_testing
