// SPDX-License-Identifier: GPL-2.0
#include "core/message.hpp"

namespace ccm {

Message *Message::make(u32 module, const Key &key, u32 size, MaySleep may_sleep)
{
	void *place = ccm_buffer_alloc(kMessageOverhead + size,
				       static_cast<ccm_effort>(may_sleep));

	return place ? new (place) Message(module, key, size) : nullptr;
}

void Message::drop(Message *message)
{
	if (message)
		ccm_buffer_free(message, kMessageOverhead + message->room_);
}

Message *Message::of_payload(void *payload)
{
	return reinterpret_cast<Message *>(static_cast<u8 *>(payload) -
					   kMessageOverhead);
}

u8 *Message::payload()
{
	return reinterpret_cast<u8 *>(this) + kMessageOverhead;
}

} // namespace ccm
