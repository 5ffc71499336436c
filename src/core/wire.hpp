// SPDX-License-Identifier: GPL-2.0
// What stands on the wire: Documentation/protocol.rst has the byte tables.
#pragma once

#include "kernel/kernel.h"
#include "support/result.hpp"

namespace ccm::wire {

constexpr u16 kMagic = 0x4343;
constexpr u8 kVersion = 1;

constexpr size_t kHeaderSize = 48;
constexpr size_t kHelloSize = 96;
constexpr size_t kLimitSize = 16;
constexpr size_t kCallSize = 16;
constexpr size_t kProofSize = 32;
constexpr size_t kClusterSize = 32;
constexpr size_t kNonceSize = 32;

// A frame of 64 KiB in all costs TCP no extra page; see Documentation/design.rst.
constexpr u32 kFrameMax = 64 * 1024;
constexpr u32 kPayloadMax = kFrameMax - kHeaderSize;

enum class Kind : u8 {
	Hello = 1, // first on a connection, from both ends
	Limit,	   // how much may be sent to a module number
	Ready,	 // all limits are told: the sender of this may be sent messages
	Goodbye, // the sender closes the connection on purpose
	Message, // a fragment of a message, or all of it
	Call,	 // the same of a call
	Answer,	 // the same of a call's answer
	Proof,	 // the sender knows the cluster's key
	Heartbeat, // to be answered at once
	Echo,	   // the answer
};

// Of a Hello alone: no connection is wanted, but that the receiver connects.
constexpr u16 kPoke = 1;

// A bit of a Hello's features: the sender's cluster has a key.
constexpr u32 kKeyed = 1;

// The fixed header of every frame.
struct Header {
	Kind kind;
	u16 flags = 0;
	u16 module = 0;	      // Limit, Message
	u16 source = 0;	      // the sender's node number
	u16 destination = 0;  // the receiver's
	u32 type = 0;	      // Message
	u32 seqn = 0;	      // Message; Heartbeat, Echo: which one
	u32 size = 0;	      // Message: bytes in the whole of it
	u32 offset = 0;	      // Message: where this fragment belongs
	u32 length = 0;	      // bytes that follow this header
	u64 sequence = 0;     // Message: its number in the session, from 1
	u64 acknowledged = 0; // the last message the sender has received whole
};

// The payload of Hello.
struct Hello {
	char cluster[kClusterSize]; // filled up with zeros
	u64 incarnation;	    // this life of the node, random
	u8 reserved[16];	    // part of what is proven, and not read
	u32 features;		    // bits, as above
	u32 window;	      // limit of all module numbers no Limit names
	u8 nonce[kNonceSize]; // random, for the proof
};

using HelloFrame = u8[kHeaderSize + kHelloSize];

// The payload of Limit.
struct Limit {
	u64 limit;    // bytes that may be sent in this session, at true size
	u32 max_size; // of one message, in bytes
};

// In front of the arguments of a call, whose function is the header's type.
struct Call {
	// Where the handler is to run.
	enum class How : u8 {
		Registered, // where it was registered for
		Short,	    // in the listener
		Long,	    // on a thread
	};

	u64 id; // for the answer; 0: none is wanted
	How how;
};

// In front of the arguments of an answer.
struct Answer {
	enum class Outcome : u32 {
		Done,	   // the handler has run
		NoHandler, // there is none of this number
		Refused,   // it cannot run now
		TooLarge,  // it has run; its answer is more than is accepted
	};

	u64 id;
	Outcome outcome;
	u32 result; // what it returned
};

void encode(const Header &header, u8 (&to)[kHeaderSize]);
void encode(const Hello &hello, u8 (&to)[kHelloSize]);
void encode(const Limit &limit, u8 (&to)[kLimitSize]);
void encode(const Call &call, u8 *to); // kCallSize bytes
void encode(const Answer &answer, u8 *to);

// Everything in it is in range, and fits what kind of frame it is. EPROTO, or
// EPROTONOSUPPORT for another version.
Result<Header> decode(const u8 (&from)[kHeaderSize]);
Hello decode(const u8 (&from)[kHelloSize]);
Limit decode(const u8 (&from)[kLimitSize]);
// kCallSize bytes. EPROTO: no such way to run it, or outcome.
Result<Call> decode_call(const u8 *from);
Result<Answer> decode_answer(const u8 *from);

// Frames of this kind carry fragments, and are part of the session's sequence.
constexpr bool is_sequenced(Kind kind)
{
	return kind == Kind::Message || kind == Kind::Call ||
	       kind == Kind::Answer;
}

} // namespace ccm::wire
