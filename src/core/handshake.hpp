// SPDX-License-Identifier: GPL-2.0
// What the two ends of a connection tell each other before anything else.
#pragma once

#include "core/secret.hpp"

namespace ccm {

struct Node;

// The listener's thread's own.
class Handshake {
public:
	// This end's Hello to a node; flags as in the header.
	static void compose(const Node &node, u32 to, u16 flags, bool keyed,
			    wire::HelloFrame &out);

	// The node has a key. To is known, or has said its Hello.
	void begin(const Node &node, Role role, u32 to);
	void hear(const wire::Header &header, const wire::Hello &hello);
	// Whether both have a key, or neither.
	bool agrees() const;

	const wire::HelloFrame &mine() const
	{
		return role_ == Role::Initiator ? greetings_.initiator
						: greetings_.responder;
	}
	// Once both have said Hello. Sleep.
	Status prove();
	bool is_proven_by(const u8 *proof) const;
	const u8 *proof() const
	{
		return proof_;
	}

	u32 other = 0; // node number, known or claimed
	u16 flags = 0; // of its Hello, as is the rest
	u32 destination = 0;
	wire::Hello hello{};

private:
	Ref<Secret> secret_;
	Role role_ = Role::Responder;
	Greetings greetings_;
	u8 proof_[wire::kProofSize];
};

} // namespace ccm
