// SPDX-License-Identifier: GPL-2.0
// What tells messages of one module number apart, and what a receive can name of it.
#pragma once

#include "kernel/kernel.h"

namespace ccm {

struct Key {
	u32 node; // the other node: destination of ours, source of theirs
	u32 type; // of a call: the function
	u32 seqn;
};

// The type, and with these bits the others too.
constexpr u32 kWithNode = 1;
constexpr u32 kWithSeqn = 2;
constexpr u32 kWithAll = kWithNode | kWithSeqn;
constexpr u32 kForms = kWithAll + 1; // so many combinations

constexpr bool same_in(u32 form, const Key &a, const Key &b)
{
	return a.type == b.type && (!(form & kWithNode) || a.node == b.node) &&
	       (!(form & kWithSeqn) || a.seqn == b.seqn);
}

// Peers choose the keys, and must not be able to choose such as have one hash: so what
// these are is chance. For any two keys it is as likely as for numbers at random
// (multiply-add-shift, which is strongly universal); what is mixed in behind that hides
// which keys are likely to be next to each other.
class KeyHash {
public:
	KeyHash()
	{
		ccm_random(this, sizeof(*this));
	}

	u32 of(u32 form, const Key &key) const
	{
		u64 sum = begin_[form] + type_ * key.type;

		if (form & kWithNode)
			sum += node_ * key.node;
		if (form & kWithSeqn)
			sum += seqn_ * key.seqn;
		return mixed(static_cast<u32>(sum >> 32));
	}

private:
	// No two have the same.
	static u32 mixed(u32 hash)
	{
		hash ^= hash >> 16;
		hash *= 0x85ebca6b;
		hash ^= hash >> 13;
		hash *= 0xc2b2ae35;
		return hash ^ hash >> 16;
	}

	u64 begin_[kForms];
	u64 type_, node_, seqn_;
};

} // namespace ccm
