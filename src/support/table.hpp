// SPDX-License-Identifier: GPL-2.0
// Objects by a small number, found without a lock.
#pragma once

#include "support/atomic.hpp"
#include "support/memory.hpp"

namespace ccm {

// Numbers 0 to Size - 1. Leaves are made as needed and kept. Owns no object.
template <class T, u32 Size> class Table {
	enum : u32 { kLeaf = 32, kLeaves = (Size + kLeaf - 1) / kLeaf };

public:
	Table() = default;
	~Table()
	{
		for (auto &leaf : leaves_)
			destroy(leaf.load());
	}
	Table(const Table &) = delete;
	Table &operator=(const Table &) = delete;

	T *get(u32 number) const
	{
		Leaf *leaf = number < Size ? leaves_[number / kLeaf].load()
					   : nullptr;
		return leaf ? leaf->slots[number % kLeaf].load() : nullptr;
	}
	// Those from a number on, in order; what comes or goes meanwhile may be
	// met or not.
	class Iterator {
	public:
		Iterator(const Table &table, u32 number)
			: table_(table), number_(number)
		{
			find();
		}
		T &operator*() const
		{
			return *found_;
		}
		T *get() const
		{
			return found_;
		}
		Iterator &operator++()
		{
			number_++;
			find();
			return *this;
		}
		bool operator!=(decltype(nullptr)) const
		{
			return found_ != nullptr;
		}

	private:
		void find()
		{
			found_ = nullptr;
			for (; number_ < Size; number_++) {
				if (!table_.leaves_[number_ / kLeaf].load())
					number_ |= kLeaf - 1;
				else if ((found_ = table_.get(number_)))
					return;
			}
		}

		const Table &table_;
		u32 number_;
		T *found_ = nullptr;
	};

	Iterator begin() const
	{
		return Iterator(*this, 0);
	}
	decltype(nullptr) end() const
	{
		return nullptr;
	}
	// The first from this number on, or nullptr.
	T *from(u32 number) const
	{
		return Iterator(*this, number).get();
	}
	// Make sure that put() with this number cannot fail.
	bool reserve(u32 number, MaySleep may_sleep)
	{
		auto &place = leaves_[number / kLeaf];
		if (place.load())
			return true;
		Leaf *made = create<Leaf>(may_sleep);
		if (!made)
			return false;
		if (!place.replace(nullptr, made))
			destroy(made);
		return true;
	}
	// Reserved before. Returns what is there now: another may have been quicker.
	T *put_if_empty(u32 number, T *added)
	{
		auto &slot =
			leaves_[number / kLeaf].load()->slots[number % kLeaf];
		return slot.replace(nullptr, added) ? added : slot.load();
	}
	void clear(u32 number)
	{
		leaves_[number / kLeaf].load()->slots[number % kLeaf].store(
			nullptr);
	}

private:
	struct Leaf {
		Atomic<T *> slots[kLeaf];
	};

	Atomic<Leaf *> leaves_[kLeaves];
};

} // namespace ccm
