// SPDX-License-Identifier: GPL-2.0
// A node, and its one peer, which is played by the test: over wires that it
// fills, stops and cuts as it likes.
#pragma once

#include "buffer.hpp"
#include "core/wire.hpp"
#include "network.hpp"
#include "prover.hpp"
#include "support/errno.hpp"
#include "test.hpp"

#include <cstring>

namespace ccm_testing {

constexpr u32 kModule = 7;
constexpr u32 kType = 1;
constexpr u32 kSmall = 40; // bytes of a message
constexpr int kSoon = 10000;
// Hello and Proof on the wire.
constexpr size_t kGreeting =
	kHelloFrame + ccm::wire::kHeaderSize + ccm::wire::kProofSize;

struct Frame {
	ccm::wire::Header header;
	Stream payload;
};

// Those that are whole; the bytes behind them are left.
inline std::vector<Frame> cut(Stream &stream)
{
	using namespace ccm::wire;
	std::vector<Frame> frames;

	for (;;) {
		u8 raw[kHeaderSize];

		if (stream.size() < sizeof(raw))
			return frames;
		std::memcpy(raw, stream.data(), sizeof(raw));
		auto header = decode(raw);
		if (!header.ok() ||
		    stream.size() < kHeaderSize + header.value().length)
			return frames;
		auto begin = stream.begin() + kHeaderSize;
		auto end = begin + header.value().length;
		frames.push_back({header.value(), Stream(begin, end)});
		stream.erase(stream.begin(), end);
	}
}

inline Stream operator+(Stream first, const Stream &second)
{
	first.insert(first.end(), second.begin(), second.end());
	return first;
}

inline Stream first_of(const Stream &stream, size_t count)
{
	return Stream(stream.begin(),
		      stream.begin() + static_cast<std::ptrdiff_t>(count));
}

inline Stream rest_of(const Stream &stream, size_t from)
{
	return Stream(stream.begin() + static_cast<std::ptrdiff_t>(from),
		      stream.end());
}

// Which end connects: the node under test is number 1, its peer 2, or the other
// way round.
enum class Connects { Node, Peer };

class Played {
public:
	explicit Played(Connects who = Connects::Node)
		: me(who == Connects::Node ? 1 : 2), they(3 - me)
	{
		node = ccm_core_create(&network);
	}
	~Played()
	{
		if (node)
			ccm_core_destroy(node);
	}
	Played(const Played &) = delete;
	Played &operator=(const Played &) = delete;

	// --- the node under test ---

	bool set_node()
	{
		ccm_node_config config{.number = me,
				       .cluster = "test",
				       .local = address_of(me)};
		const char *why;

		return ccm_core_key_set(node, kSecret, sizeof(kSecret), &why) ==
			       0 &&
		       ccm_core_node_set(node, &config, &why) == 0;
	}
	bool add_peer()
	{
		ccm_peer_config config{.number = they,
				       .remote = address_of(they)};
		const char *why;

		return ccm_core_peer_add(node, &config, &why) == 0;
	}
	// And it is done.
	bool delete_node()
	{
		return ccm_core_node_delete(node, nullptr) == 0 &&
		       ccm_testing::eventually([&] {
			       ccm_node_info now{};

			       ccm_core_node_info(node, &now);
			       return now.config.number == 0;
		       });
	}
	bool attach()
	{
		return ccm_core_attach(node, kModule, nullptr, nullptr) == 0;
	}
	bool begin()
	{
		return node && set_node() && add_peer();
	}
	ccm_peer_info info()
	{
		ccm_peer_info out{};

		(void)ccm_core_peer_info(node, they, &out);
		return out;
	}
	u32 receivers()
	{
		ccm_consumer_info out{};

		(void)ccm_core_consumer_info(node, kModule, &out);
		return out.receivers;
	}
	int send(u32 seqn, u32 size = kSmall)
	{
		return send_to(they, seqn, size);
	}
	int send_to(u32 number, u32 seqn, u32 size = kSmall)
	{
		Stream bytes = payload(seqn, size);
		ccm_msg msg{.node = number,
			    .module = kModule,
			    .type = kType,
			    .seqn = seqn,
			    .size = bytes.size(),
			    .data = bytes.data()};

		return ccm_core_send(node, &msg, 0, kSoon);
	}
	// 0 if the message is the one that it should be.
	int receive(u32 seqn, int timeout_ms = 0, u32 from = CCM_ANY_NODE)
	{
		Stream bytes(1 << 20);
		ccm_msg msg{.node = from,
			    .module = kModule,
			    .type = kType,
			    .seqn = seqn,
			    .size = bytes.size(),
			    .data = bytes.data()};
		int got = ccm_core_receive(node, &msg, 0, timeout_ms);

		if (got < 0)
			return got;
		bytes.resize(static_cast<size_t>(got));
		auto size = static_cast<u32>(got);
		return bytes == payload(seqn, size) ? 0 : -EPROTO;
	}

	// --- its peer ---

	// A connection, and nothing said on it yet; the node's socket takes so
	// many bytes, or all.
	bool meet(std::optional<size_t> room = std::nullopt)
	{
		const char *why;

		sequence_ = 0;
		if (me < they) {
			(void)ccm_core_connect(node, they, 0, &why);
			wire = network.connects();
			if (!wire)
				(void)network.changes();
		} else {
			(void)ccm_core_listen(node, they, 0, &why);
			wire = network.arrive(address_of(they));
			if (!wire->is_taken())
				wire = nullptr;
		}
		if (!wire)
			return false;
		if (room)
			wire->set_room(*room);
		wire->establish();
		return true;
	}
	// The whole of a handshake, from this end.
	bool greet()
	{
		return say(kHelloFrame) && prove_and_be_ready();
	}
	// The first so many bytes of it, and perhaps then the end.
	bool say(size_t bytes, bool end = false)
	{
		Stream words = hello();

		if (bytes > words.size()) {
			wire->deliver(words);
			if (!wire->sends(their_part()))
				return false;
			bytes -= words.size();
			words = proof() + ready();
		}
		words = first_of(words, bytes);
		if (end)
			wire->end(words);
		else
			wire->deliver(words);
		return true;
	}
	bool prove_and_be_ready()
	{
		if (!wire->sends(their_part()))
			return false;
		wire->deliver(proof() + ready());
		auto change = network.changes();
		return change && change->state == CCM_STATE_UP;
	}
	// And the node has said its part, so that messages may come.
	bool up()
	{
		return meet() && greet() && wire->settles();
	}
	ccm_node_stats stats()
	{
		ccm_node_info out{};

		ccm_core_node_info(node, &out);
		return out.stats;
	}
	bool goes_down(ccm_reason reason, int error)
	{
		auto change = network.changes();

		return change && change->state == CCM_STATE_DOWN &&
		       change->reason == reason && change->error == -error;
	}

	Stream frame(ccm::wire::Header header, const Stream &body = {}) const
	{
		u8 raw[ccm::wire::kHeaderSize];

		header.source = static_cast<u16>(they);
		header.destination = static_cast<u16>(me);
		header.length = static_cast<u32>(body.size());
		ccm::wire::encode(header, raw);
		return Stream(raw, raw + sizeof(raw)) + body;
	}
	// features, flags: other than a member's.
	Stream hello(u32 features = ccm::wire::kKeyed, u16 flags = 0) const
	{
		ccm::wire::Hello hello{.cluster = "test",
				       .incarnation = incarnation,
				       .features = features,
				       .window = 1 << 20};
		u8 raw[ccm::wire::kHelloSize];

		ccm::wire::encode(hello, raw);
		return frame({.kind = ccm::wire::Kind::Hello, .flags = flags},
			     Stream(raw, raw + sizeof(raw)));
	}
	// When the node has said Hello.
	Stream proof() const
	{
		return proof(me < they ? ccm::Role::Responder
				       : ccm::Role::Initiator,
			     kSecret);
	}
	template <size_t Size>
	Stream proof(ccm::Role role, const u8 (&secret)[Size]) const
	{
		Stream theirs = hello();
		Stream mine = first_of(wire->sent(), kHelloFrame);
		u8 raw[ccm::wire::kProofSize] = {};

		if (me < they)
			(void)prove(role, mine.data(), theirs.data(), raw,
				    secret);
		else
			(void)prove(role, theirs.data(), mine.data(), raw,
				    secret);
		return frame({.kind = ccm::wire::Kind::Proof},
			     Stream(raw, raw + sizeof(raw)));
	}
	Stream ready() const
	{
		return frame({.kind = ccm::wire::Kind::Ready});
	}
	Stream limit(u64 bytes) const
	{
		u8 raw[ccm::wire::kLimitSize];

		ccm::wire::encode({.limit = bytes, .max_size = 1 << 20}, raw);
		return frame(
			{.kind = ccm::wire::Kind::Limit, .module = kModule},
			Stream(raw, raw + sizeof(raw)));
	}
	// The next message, all its fragments. Order counts: not twice in one
	// expression.
	Stream message(u32 seqn, u32 size = kSmall, u32 module = kModule)
	{
		Stream bytes = payload(seqn, size);
		Stream frames;
		u32 offset = 0;

		sequence_++;
		do {
			u32 length = size - offset;

			if (length > ccm::wire::kPayloadMax)
				length = ccm::wire::kPayloadMax;
			frames =
				frames +
				frame({.kind = ccm::wire::Kind::Message,
				       .module = static_cast<u16>(module),
				       .type = kType,
				       .seqn = seqn,
				       .size = size,
				       .offset = offset,
				       .sequence = sequence_},
				      first_of(rest_of(bytes, offset), length));
			offset += length;
		} while (offset < size);
		return frames;
	}

	// A call that wants an answer, of this many bytes of arguments.
	Stream call(u32 function, u64 id, u32 arguments)
	{
		u8 head[ccm::wire::kCallSize];
		u32 size = arguments + sizeof(head);

		ccm::wire::encode(
			{.id = id, .how = ccm::wire::Call::How::Registered},
			head);
		sequence_++;
		return frame({.kind = ccm::wire::Kind::Call,
			      .module = kModule,
			      .type = function,
			      .seqn = 1,
			      .size = size,
			      .sequence = sequence_},
			     Stream(head, head + sizeof(head)) +
				     Stream(arguments));
	}

	// The answer of a call, of this many bytes of arguments.
	Stream answer(u32 function, u64 id, u32 arguments)
	{
		u8 head[ccm::wire::kCallSize];

		ccm::wire::encode({.id = id,
				   .outcome = ccm::wire::Answer::Outcome::Done,
				   .result = 0},
				  head);
		sequence_++;
		return frame({.kind = ccm::wire::Kind::Answer,
			      .module = kModule,
			      .type = function,
			      .size = arguments + u32{sizeof(head)},
			      .sequence = sequence_},
			     Stream(head, head + sizeof(head)) +
				     Stream(arguments));
	}

	static Stream payload(u32 seqn, u32 size)
	{
		Stream bytes(size);

		for (u32 i = 0; i < size; i++)
			bytes[i] = pattern(seqn, i);
		return bytes;
	}
	static ccm_endpoint address_of(u32 number)
	{
		return {.family = 4,
			.address = {10, 0, 0, static_cast<u8>(number)},
			.port = CCM_PORT_DEFAULT};
	}

	const u32 me;
	const u32 they;
	net network;
	ccm_node *node;
	Wire *wire = nullptr; // the last
	u64 incarnation = 1;  // the peer's

private:
	// What the node has said when this end has to prove itself.
	size_t their_part() const
	{
		return me < they ? kGreeting : kHelloFrame;
	}

	u64 sequence_ = 0;
};

} // namespace ccm_testing
