// SPDX-License-Identifier: GPL-2.0
// What a mailbox does, done by walking through all that is there.
#pragma once

#include "core/mailbox.hpp"
#include "support/errno.hpp"

namespace ccm_testing {

inline bool matches(const ccm::Want &want, const ccm::Key &of)
{
	return (want.any_node || want.node == of.node) &&
	       want.type == of.type && (want.any_seqn || want.seqn == of.seqn);
}

// Whoever waits for other waits for something that want matches.
inline bool covers(const ccm::Want &want, const ccm::Want &other)
{
	return want.type == other.type &&
	       (want.any_node ||
		(!other.any_node && want.node == other.node)) &&
	       (want.any_seqn || (!other.any_seqn && want.seqn == other.seqn));
}

// Messages are told apart by their sizes.
class Walk {
public:
	enum : u32 { kMost = 64 };

	// A receiver, and how it should have ended.
	struct Waiter {
		ccm::Receiver *receiver;
		bool there; // posted or filling
		bool filling;
		int error; // if it ended; of one that fills: to end with
		u32 size;  // of what it got, or could not
	};
	struct Item {
		ccm::Key key;
		u32 size;
	};

	void post(Waiter &waiter)
	{
		waiter.there = true;
		waiter.filling = false;
		waiter.error = 0;
		waiters[waiter_count++] = &waiter;
		serve(waiter);
	}
	void deliver(const Item &item)
	{
		for (u32 i = 0; i < waiter_count;) {
			Waiter &w = *waiters[i];

			if (w.filling || !matches(w.receiver->want, item.key)) {
				i++;
				continue;
			}
			bool fits = w.receiver->has_room(item.size);
			end(w, fits ? 0 : ccm::EMSGSIZE, item.size);
			if (fits)
				return;
		}
		items[item_count++] = item;
	}
	// Whose buffer it is to fill, or nullptr.
	Waiter *place(const Item &item)
	{
		for (u32 i = 0; i < waiter_count; i++) {
			Waiter &w = *waiters[i];

			if (w.filling || !matches(w.receiver->want, item.key))
				continue;
			if (!w.receiver->buffer ||
			    !w.receiver->has_room(item.size))
				return nullptr;
			w.filling = true;
			return &w;
		}
		return nullptr;
	}
	void abandon(Waiter &waiter)
	{
		if (waiter.error) {
			end(waiter, waiter.error, waiter.size);
			return;
		}
		waiter.filling = false;
		serve(waiter);
	}
	// The size of the first that is wanted, which is taken; or -1.
	int take(const ccm::Want &want)
	{
		for (u32 i = 0; i < item_count; i++)
			if (matches(want, items[i].key))
				return static_cast<int>(remove_item(i));
		return -1;
	}
	template <class Which> int end_those(Which which, int error)
	{
		int ended = 0;

		for (u32 i = 0; i < waiter_count;) {
			Waiter &w = *waiters[i++];

			if (!which(w.receiver->want))
				continue;
			ended++;
			if (w.filling) {
				w.error = error;
				continue;
			}
			end(w, error, 0);
			i--;
		}
		return ended;
	}
	void end(Waiter &waiter, int error, u32 size)
	{
		u32 kept = 0;

		for (u32 i = 0; i < waiter_count; i++)
			if (waiters[i] != &waiter)
				waiters[kept++] = waiters[i];
		waiter_count = kept;
		waiter.there = false;
		waiter.error = error;
		waiter.size = size;
	}

	Waiter *waiters[kMost]; // in the order of their coming
	u32 waiter_count = 0;
	Item items[kMost]; // so too
	u32 item_count = 0;

private:
	void serve(Waiter &waiter)
	{
		for (u32 i = 0; i < item_count; i++) {
			if (!matches(waiter.receiver->want, items[i].key))
				continue;
			u32 size = items[i].size;
			bool fits = waiter.receiver->has_room(size);

			if (fits)
				remove_item(i);
			end(waiter, fits ? 0 : ccm::EMSGSIZE, size);
			return;
		}
	}
	u32 remove_item(u32 at)
	{
		u32 size = items[at].size;

		item_count--;
		for (u32 i = at; i < item_count; i++)
			items[i] = items[i + 1];
		return size;
	}
};

} // namespace ccm_testing
