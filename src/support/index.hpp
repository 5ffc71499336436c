// SPDX-License-Identifier: GPL-2.0
// Objects by what they are, through the objects themselves: linking cannot fail.
// Those that are the same are a group, in the order in which they came. How many
// others there are does not matter.
#pragma once

#include "support/memory.hpp"

namespace ccm {

// One in each object for each index it can be in.
struct Link {
	Link *next;
	Link *previous;
};

// Derive from this once for each index an object can be in, and its Way from the other.
template <class Tag> struct Linked {
	Link link{};
};
template <class T, class Tag> struct LinkedBy {
	using Object = T;

	Link &link(T &object) const
	{
		return static_cast<Linked<Tag> &>(object).link;
	}
	T &object(Link &link) const
	{
		return static_cast<T &>(reinterpret_cast<Linked<Tag> &>(link));
	}
};

// A Way by a number of the object's that is small, or that nobody chooses to do harm.
template <class T, class Tag, u32 (T::*number)() const>
struct ByNumber : LinkedBy<T, Tag> {
	using What = u32;

	u32 what(const T &object) const
	{
		return (object.*number)();
	}
	u32 hash(u32 what) const
	{
		return what;
	}
	bool same(u32 a, u32 b) const
	{
		return a == b;
	}
};

// The places of a hash table, by number. There are always some; how many grows and
// shrinks by one, in steps of one page of memory or a few. Without any it stays.
class Buckets {
	enum : u32 {
		kFirst = 4,
		kBits = 6,
		kFan = 1u << kBits,
		kMost = 1u << 24,
	};

public:
	Buckets() = default;
	Buckets(const Buckets &) = delete;
	Buckets &operator=(const Buckets &) = delete;

	u32 size() const
	{
		return size_;
	}
	bool is_smallest() const
	{
		return size_ == kFirst;
	}
	// Where something of this hash belongs. It changes only when the last one
	// comes or goes: to that, or back to where that came from.
	u32 number_of(u32 hash) const
	{
		u32 number = hash & mask();

		return number < size_ ? number : number & mask() >> 1;
	}
	u32 origin_of_last() const
	{
		return size_ - 1 - (mask() + 1) / 2;
	}
	Link *&operator[](u32 number)
	{
		Slot *at = &root_;

		if (number < kFirst)
			return first_[number];
		for (u32 level = height_; level-- > 0;)
			at = below(*at, number, level);
		return at->link;
	}
	// One more, which is empty. False without memory.
	bool grow()
	{
		if (size_ == kMost || !reserve(size_)) {
			trim();
			return false;
		}
		size_++;
		return true;
	}
	// The last one goes; it is empty, and not one of the smallest.
	void shrink()
	{
		size_--;
		trim();
	}

private:
	struct Page;
	union Slot {
		Page *page;
		Link *link;
	};
	struct Page {
		Slot slots[kFan];
	};

	// The last number, and all ones below its first.
	u32 mask() const
	{
		return ~0u >> __builtin_clz(size_ - 1);
	}
	static Slot *below(const Slot &above, u32 number, u32 level)
	{
		return &above.page->slots[number >> level * kBits & (kFan - 1)];
	}
	// How many numbers have room below so many levels of pages.
	static u32 room(u32 levels)
	{
		return levels ? 1u << levels * kBits : 0;
	}
	bool reserve(u32 number)
	{
		while (number >= room(height_)) {
			Page *above = create<Page>(MaySleep::No);

			if (!above)
				return false;
			above->slots[0] = root_;
			root_.page = above;
			height_++;
		}
		Slot *at = &root_;
		for (u32 level = height_; level-- > 0;) {
			if (!at->page)
				at->page = create<Page>(MaySleep::No);
			if (!at->page)
				return false;
			at = below(*at, number, level);
		}
		return true;
	}
	// Pages for numbers that there are not, from the next one on.
	void trim()
	{
		Slot *at = &root_;

		for (u32 level = height_; level && size_ < room(height_);) {
			if (!at->page || size_ % room(level) == 0) {
				drop(*at, level);
				break;
			}
			at = below(*at, size_, --level);
		}
		while (height_ &&
		       size_ <= (height_ > 1 ? room(height_ - 1) : kFirst)) {
			Page *above = root_.page;

			root_.page = nullptr;
			if (--height_)
				root_ = above->slots[0];
			destroy(above);
		}
	}
	// A page of so many levels, of which no more is used than a way down.
	static void drop(Slot &at, u32 levels)
	{
		Page *page = at.page;

		at.page = nullptr;
		while (page) {
			Page *next = --levels ? page->slots[0].page : nullptr;

			destroy(page);
			page = next;
		}
	}

	Link *first_[kFirst] = {};
	Slot root_{}; // of all others, below so many levels
	u32 height_ = 0;
	u32 size_ = kFirst;
};

// Objects of Way::Object, by what Way says of them; it owns none. Way has
//
//	using Object, What;
//	Link &link(Object &) const;		the one for this index
//	Object &object(Link &) const;		back again
//	What what(const Object &) const;	must not change meanwhile
//	u32 hash(const What &) const;		each bit depends on all of it, and on chance
//	bool same(const What &, const What &) const;
//
// A hash table that grows and shrinks by one bucket at a time (linear hashing), so that
// nothing takes long. Without memory it stays as long as it is, and all goes on.
//
// A bucket is a chain of groups, each of them a run in it: the last of a group leads to
// the first of the next. Backwards the first leads to the last of its own group, so a
// group is passed over in one step.
template <class Way> class Index {
	using T = typename Way::Object;
	using What = typename Way::What;

public:
	Index() = default;
	explicit Index(const Way &way) : way_(way)
	{
	}
	Index(const Index &) = delete;
	Index &operator=(const Index &) = delete;

	// The first of those that are this, or nullptr.
	T *first(const What &what)
	{
		if (!groups_)
			return nullptr;
		Link *head = *place_of(what, buckets_[number_of(what)]);

		return head ? &way_.object(*head) : nullptr;
	}
	// The one behind it in its group, or nullptr.
	T *next(T &of) const
	{
		Link *behind = follower(&way_.link(of));

		return behind ? &way_.object(*behind) : nullptr;
	}
	// As the last of its group.
	void add(T &added)
	{
		const What what = way_.what(added);
		Link *&bucket = buckets_[number_of(what)];
		Link *head = *place_of(what, bucket);
		Link *link = &way_.link(added);

		if (!head) {
			add_group(link, bucket);
			return;
		}
		link->next = head->previous->next;
		link->previous = head->previous;
		head->previous->next = link;
		head->previous = link;
	}
	// Before this one of its group.
	void insert(T &added, T &before)
	{
		Link *link = &way_.link(added);
		Link *behind = &way_.link(before);

		if (is_head(behind))
			*place_of_head(behind) = link;
		else
			behind->previous->next = link;
		link->next = behind;
		link->previous = behind->previous;
		behind->previous = link;
	}
	void remove(T &removed)
	{
		Link *link = &way_.link(removed);
		Link *behind = follower(link);

		if (!is_head(link)) {
			Link *head = behind ? behind : head_of_tail(link);

			head->previous = link->previous;
			link->previous->next = link->next;
		} else {
			*place_of_head(link) = link->next;
			if (behind)
				behind->previous = link->previous;
			else
				remove_group();
		}
		link->next = link->previous = nullptr;
	}
	// For tests.
	u32 buckets() const
	{
		return buckets_.size();
	}

private:
	u32 number_of(const What &what) const
	{
		return buckets_.number_of(way_.hash(what));
	}
	What what(Link *link) const
	{
		return way_.what(way_.object(*link));
	}
	static bool is_head(const Link *link)
	{
		return link->previous->next != link;
	}
	static Link *follower(const Link *link)
	{
		Link *behind = link->next;

		return behind && behind->previous == link ? behind : nullptr;
	}
	// Of the next group in the bucket.
	static Link **next_place(Link *head)
	{
		return &head->previous->next;
	}
	// What leads to this group's first, or the end.
	Link **place_of(const What &what, Link *&bucket) const
	{
		Link **place = &bucket;

		while (*place && !way_.same(what, this->what(*place)))
			place = next_place(*place);
		return place;
	}
	Link **place_of_head(Link *head)
	{
		Link **place = &buckets_[number_of(what(head))];

		while (*place != head)
			place = next_place(*place);
		return place;
	}
	Link *head_of_tail(Link *tail)
	{
		Link *head = buckets_[number_of(what(tail))];

		while (head->previous != tail)
			head = *next_place(head);
		return head;
	}
	void add_group(Link *link, Link *&bucket)
	{
		link->previous = link;
		link->next = bucket;
		bucket = link;
		if (++groups_ > buckets_.size() * 2 && buckets_.grow())
			split();
	}
	void remove_group()
	{
		groups_--;
		while (groups_ < buckets_.size() / 2 && !buckets_.is_smallest())
			merge();
	}
	// Some of those that were elsewhere belong to the last one now.
	void split()
	{
		Link *&from = buckets_[buckets_.origin_of_last()];
		Link *head = from;

		from = nullptr;
		while (head) {
			Link **end = next_place(head);
			Link *next = *end;
			Link *&bucket = buckets_[number_of(what(head))];

			*end = bucket;
			bucket = head;
			head = next;
		}
	}
	void merge()
	{
		Link **end = &buckets_[buckets_.origin_of_last()];
		Link *&last = buckets_[buckets_.size() - 1];

		while (*end)
			end = next_place(*end);
		*end = last;
		last = nullptr;
		buckets_.shrink();
	}

	const Way way_{};
	Buckets buckets_;
	u32 groups_ = 0;
};

} // namespace ccm
