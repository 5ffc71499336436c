// SPDX-License-Identifier: GPL-2.0
// Objects in the order of a number, through the objects themselves: as with a list,
// linking cannot fail. Each step visits about the logarithm of how many there are.
#pragma once

#include "support/types.hpp"

namespace ccm {

// Derive from Branch<T> once for the tree an object can be in.
template <class T> class Branch {
public:
	Branch() = default;
	Branch(const Branch &) = delete;
	Branch &operator=(const Branch &) = delete;

private:
	template <class U, class Order> friend class Tree;

	T *lower_ = nullptr;
	T *higher_ = nullptr;
};

// The number by which an order is told from all others.
constexpr u64 number_in(u64 order)
{
	return order;
}

// Objects of type T, whose order() no other in the tree has, and does not change meanwhile.
// It is a number; or something else that can be compared and has one, number_in(). Owns
// nothing.
//
// A treap: by order it is a search tree, and a heap by rank, which is the number
// well mixed. So numbers that rise make it no deeper than such as come at random. An
// attacker could choose others; none of these is a peer's to choose. Nothing recurses:
// the stack is the kernel's.
template <class T, class Order = u64> class Tree {
public:
	Tree() = default;
	Tree(const Tree &) = delete;
	Tree &operator=(const Tree &) = delete;

	T *find(const Order &number) const
	{
		T *found = from(number);

		return found && found->order() == number ? found : nullptr;
	}
	// The first of this number or a higher one, or nullptr.
	T *from(const Order &number) const
	{
		T *found = nullptr;

		for (T *at = root_; at;) {
			if (at->order() < number) {
				at = higher(at);
				continue;
			}
			found = at;
			at = lower(at);
		}
		return found;
	}
	T *front() const
	{
		return from(Order{});
	}
	void add(T *added)
	{
		const Order number = added->order();
		const u64 rank = rank_of(number);
		T **place = &root_;

		while (*place && rank_of((*place)->order()) > rank)
			place = step(*place, number);
		split(*place, number, lower(added), higher(added));
		*place = added;
	}
	void remove(T *removed)
	{
		const Order number = removed->order();
		T **place = &root_;

		while (*place != removed)
			place = step(*place, number);
		join(lower(removed), higher(removed), *place);
		lower(removed) = higher(removed) = nullptr;
	}
	T *pop_front()
	{
		T *first = front();

		if (first)
			remove(first);
		return first;
	}
	// All of other's; there was nothing here.
	void take(Tree &other)
	{
		root_ = other.root_;
		other.root_ = nullptr;
	}

private:
	static T *&lower(T *of)
	{
		return static_cast<Branch<T> *>(of)->lower_;
	}
	static T *&higher(T *of)
	{
		return static_cast<Branch<T> *>(of)->higher_;
	}
	static T **step(T *at, const Order &number)
	{
		return number < at->order() ? &lower(at) : &higher(at);
	}
	// Each bit depends on each of the number, and no two have the same.
	static u64 rank_of(const Order &order)
	{
		u64 number = number_in(order);

		number ^= number >> 33;
		number *= 0xff51afd7ed558ccdull;
		number ^= number >> 33;
		number *= 0xc4ceb9fe1a85ec53ull;
		return number ^ number >> 33;
	}
	// What is below this number, and what is above it.
	static void split(T *whole, const Order &number, T *&below, T *&above)
	{
		T **low = &below;
		T **high = &above;

		while (whole) {
			if (whole->order() < number) {
				*low = whole;
				low = &higher(whole);
				whole = *low;
			} else {
				*high = whole;
				high = &lower(whole);
				whole = *high;
			}
		}
		*low = *high = nullptr;
	}
	// All of the first are below all of the second.
	static void join(T *below, T *above, T *&whole)
	{
		T **place = &whole;

		while (below && above) {
			if (rank_of(below->order()) > rank_of(above->order())) {
				*place = below;
				place = &higher(below);
				below = *place;
			} else {
				*place = above;
				place = &lower(above);
				above = *place;
			}
		}
		*place = below ? below : above;
	}

	T *root_ = nullptr;
};

} // namespace ccm
