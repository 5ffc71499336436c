// SPDX-License-Identifier: GPL-2.0
// Objects with a key, found by each combination of type, node and seqn, in the order
// in which they came.
#pragma once

#include "core/key.hpp"
#include "support/index.hpp"

namespace ccm {

struct Filed {
	Link filed[kForms]{};
};

// T has
//
//	Link filed[kForms];			as if of Filed
//	Key file_key() const;			must not change meanwhile
//	static T &of_filed(Link *filed);	back again
template <class T> class Filing {
	struct Way {
		using Object = T;
		using What = Key;

		Link &link(T &object) const
		{
			return object.filed[form];
		}
		T &object(Link &link) const
		{
			return T::of_filed(&link - form);
		}
		Key what(const T &object) const
		{
			return object.file_key();
		}
		u32 hash(const Key &key) const
		{
			return chance.of(form, key);
		}
		bool same(const Key &a, const Key &b) const
		{
			return same_in(form, a, b);
		}

		const KeyHash &chance;
		const u32 form;
	};

public:
	explicit Filing(const KeyHash &chance)
		: forms_{Index<Way>({chance, 0}), Index<Way>({chance, 1}),
			 Index<Way>({chance, 2}), Index<Way>({chance, 3})}
	{
	}
	Filing(const Filing &) = delete;
	Filing &operator=(const Filing &) = delete;

	// The first with what this form names of a key, or nullptr.
	T *first(u32 form, const Key &key)
	{
		return forms_[form].first(key);
	}
	// The one behind it that has the same.
	T *next(u32 form, T &of)
	{
		return forms_[form].next(of);
	}
	// It has all that its own form names.
	void add(T &added, u32 own_form)
	{
		for (u32 form = 0; form < kForms; form++)
			if ((form & ~own_form) == 0)
				forms_[form].add(added);
	}
	void remove(T &removed, u32 own_form)
	{
		for (u32 form = 0; form < kForms; form++)
			if ((form & ~own_form) == 0)
				forms_[form].remove(removed);
	}

private:
	Index<Way> forms_[kForms];
};

} // namespace ccm
