// SPDX-License-Identifier: GPL-2.0
#include "core/transmitter.hpp"

#include "random.hpp"
#include "support/memory.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;
using Outcome = Transmitter::Outcome;

namespace {

constexpr int kPlenty = 1 << 20;
constexpr int kAll = 1 << 30; // the transport takes all it is given

// Frames one after the other, each a header and this much body.
struct Source {
	explicit Source(u32 count_) : count(count_)
	{
		for (u32 i = 0; i < sizeof(body); i++)
			body[i] = static_cast<u8>(i);
	}
	bool next(Frame &frame)
	{
		asked++;
		if (made == count)
			return false;
		frame.begin(header(made));
		frame.body = body;
		frame.body_size = kBody;
		frame.more = ++made < count;
		return true;
	}
	static wire::Header header(u32 number)
	{
		return {.kind = wire::Kind::Message,
			.module = 1,
			.source = 1,
			.destination = 2,
			.size = kBody,
			.length = kBody,
			.sequence = number + 1};
	}
	// Byte number `at` of all that is to be sent.
	u8 expected(u32 at) const
	{
		u8 raw[wire::kHeaderSize];

		if (at % kSize >= wire::kHeaderSize)
			return body[at % kSize - wire::kHeaderSize];
		wire::encode(header(at / kSize), raw);
		return raw[at % kSize];
	}

	enum : u32 { kBody = 30, kSize = wire::kHeaderSize + kBody };
	u8 body[kBody];
	const u32 count;
	u32 made = 0;
	u32 asked = 0;
};

// Takes as much as the script says at each call; then everything.
struct Transport {
	int send(const Frame &frame)
	{
		u32 whole = frame.head_size + frame.body_size;
		int wanted = step < steps ? script[step] : kAll;

		step++;
		more = frame.more;
		if (wanted <= 0)
			return wanted;
		u32 left = whole - frame.sent;
		u32 take = static_cast<u32>(wanted) < left
				   ? static_cast<u32>(wanted)
				   : left;
		for (u32 at = frame.sent; at < frame.sent + take; at++)
			out[size++] =
				at < frame.head_size
					? frame.head[at]
					: frame.body[at - frame.head_size];
		return static_cast<int>(take);
	}

	const int *script = nullptr;
	u32 steps = 0;
	u32 step = 0;
	bool more = false;
	u8 out[400];
	u32 size = 0;
};

// All of it, each byte once and in order.
void expect_sent(ccm_test *test, const Source &source,
		 const Transport &transport, u32 size)
{
	if (!EXPECT_EQ(size, transport.size))
		return;
	for (u32 i = 0; i < size; i++)
		if (!EXPECT_EQ(source.expected(i), transport.out[i]))
			return;
}

} // namespace

CCM_TEST(transmitter, run__nothing_to_send)
{
	Transmitter transmitter;
	Source source(0);
	Transport transport;

	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	EXPECT_EQ(0, transport.step);
	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	EXPECT_EQ(2, source.asked);
}

// Whoever finds nothing left may lose the connection at once.
CCM_TEST(transmitter, run__touches_nothing_when_nothing_is_left)
{
	struct Last : Source {
		using Source::Source;
		bool next(Frame &frame)
		{
			if (Source::next(frame))
				return true;
			destroy(mine);
			return false;
		}
		Transmitter *mine = nullptr;
	} source(1);
	Transport transport;

	source.mine = create<Transmitter>(MaySleep::Yes);
	REQUIRE(source.mine != nullptr);
	EXPECT(source.mine->run(source, transport, kPlenty) == Outcome::Idle);
	expect_sent(test, source, transport, Source::kSize);
}

CCM_TEST(transmitter, run__frames_in_order)
{
	Transmitter transmitter;
	Source source(4);
	Transport transport;

	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	expect_sent(test, source, transport, 4 * Source::kSize);
	EXPECT_EQ(4, transport.step); // header and body together
}

CCM_TEST(transmitter, run__partial_send_at_every_byte)
{
	for (int first = 1; first < static_cast<int>(Source::kSize); first++) {
		const int script[] = {first};
		Transmitter transmitter;
		Source source(2);
		Transport transport{.script = script, .steps = 1};

		EXPECT(transmitter.run(source, transport, kPlenty) ==
		       Outcome::Idle);
		expect_sent(test, source, transport, 2 * Source::kSize);
	}
}

CCM_TEST(transmitter, run__goes_on_after_a_full_socket_at_every_byte)
{
	static const int kFull[] = {-EAGAIN, 0};

	for (int full : kFull) {
		for (int first = 1; first < static_cast<int>(Source::kSize);
		     first++) {
			const int script[] = {first, full};
			Transmitter transmitter;
			Source source(2);
			Transport transport{.script = script, .steps = 2};

			EXPECT(transmitter.run(source, transport, kPlenty) ==
			       Outcome::Blocked);
			EXPECT_EQ(first, transport.size);
			EXPECT_EQ(1, source.asked); // not before it is whole
			EXPECT(transmitter.run(source, transport, kPlenty) ==
			       Outcome::Idle);
			expect_sent(test, source, transport, 2 * Source::kSize);
		}
	}
}

CCM_TEST(transmitter, run__byte_by_byte)
{
	Transmitter transmitter;
	Source source(3);
	static int script[3 * Source::kSize];
	Transport transport{.script = script, .steps = 3 * Source::kSize};

	for (int &step : script)
		step = 1;
	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	expect_sent(test, source, transport, 3 * Source::kSize);
}

CCM_TEST(transmitter, run__in_random_pieces)
{
	for (u64 seed = 0; seed < 200; seed++) {
		Random random(seed);
		static int script[40];
		Transmitter transmitter;
		Source source(5);
		Transport transport{.script = script, .steps = 40};

		for (int &step : script)
			step = random.below(4)
				       ? static_cast<int>(random.below(60))
				       : -EAGAIN;
		for (int i = 0; i < 50; i++)
			if (transmitter.run(source, transport,
					    static_cast<int>(random.between(
						    1, 200))) == Outcome::Idle)
				break;
		expect_sent(test, source, transport, 5 * Source::kSize);
	}
}

CCM_TEST(transmitter, run__the_socket_breaks)
{
	static const int kErrors[] = {-EPIPE, -ECONNRESET, -ENOMEM, -ENOTCONN};

	for (int error : kErrors) {
		const int script[] = {10, error};
		Transmitter transmitter;
		Source source(1);
		Transport transport{.script = script, .steps = 2};

		EXPECT(transmitter.run(source, transport, kPlenty) ==
		       Outcome::Broken);
		EXPECT_EQ(2, transport.step); // it does not try again
	}
}

CCM_TEST(transmitter, run__ends_with_its_budget)
{
	Transmitter transmitter;
	Source source(4);
	Transport transport;

	EXPECT(transmitter.run(source, transport, Source::kSize) ==
	       Outcome::Budget);
	EXPECT_EQ(Source::kSize, transport.size);
	EXPECT(transmitter.run(source, transport, Source::kSize + 1) ==
	       Outcome::Budget);
	EXPECT_EQ(3 * Source::kSize, transport.size);
	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	expect_sent(test, source, transport, 4 * Source::kSize);
}

CCM_TEST(transmitter, run__budget_in_the_middle_of_a_frame)
{
	const int script[] = {20};
	Transmitter transmitter;
	Source source(1);
	Transport transport{.script = script, .steps = 1};

	EXPECT(transmitter.run(source, transport, 20) == Outcome::Budget);
	EXPECT_EQ(20, transport.size);
	EXPECT(transmitter.run(source, transport, kPlenty) == Outcome::Idle);
	expect_sent(test, source, transport, Source::kSize);
}

CCM_TEST(transmitter, run__without_a_budget)
{
	Transmitter transmitter;
	Source source(1);
	Transport transport;

	EXPECT(transmitter.run(source, transport, 0) == Outcome::Budget);
	EXPECT_EQ(0, source.asked);
}

CCM_TEST(transmitter, run__says_whether_more_follows)
{
	Transmitter transmitter;
	Source source(2);
	Transport transport;

	(void)transmitter.run(source, transport, 1);
	EXPECT(transport.more);
	(void)transmitter.run(source, transport, 1);
	EXPECT(!transport.more);
}

CCM_TEST(transmitter, run__takes_up_what_comes_later)
{
	Transmitter transmitter;
	Source first(1), second(1);
	Transport transport;

	EXPECT(transmitter.run(first, transport, kPlenty) == Outcome::Idle);
	EXPECT(transmitter.run(second, transport, kPlenty) == Outcome::Idle);
	EXPECT_EQ(2 * Source::kSize, transport.size);
}

// --- frame -------------------------------------------------------------------------

CCM_TEST(frame, begin__forgets_what_was_there)
{
	const u8 payload[] = {1, 2, 3};
	Frame frame;

	frame.begin(Source::header(0));
	frame.add(payload, sizeof(payload));
	frame.body = payload;
	frame.body_size = 3;
	frame.sent = 54;
	EXPECT(frame.whole());
	frame.begin(Source::header(1));
	EXPECT_EQ(wire::kHeaderSize, frame.head_size);
	EXPECT_EQ(0, frame.body_size);
	EXPECT_EQ(0, frame.sent);
	EXPECT(!frame.whole());
}

CCM_TEST(frame, add__goes_behind_the_header)
{
	u8 hello[wire::kHelloSize];
	u8 header[wire::kHeaderSize];
	Frame frame;

	for (u32 i = 0; i < sizeof(hello); i++)
		hello[i] = static_cast<u8>(i);
	wire::encode(Source::header(0), header);
	frame.begin(Source::header(0));
	frame.add(hello, sizeof(hello));
	EXPECT_EQ(sizeof(frame.head), frame.head_size);
	EXPECT_EQ(0, __builtin_memcmp(header, frame.head, sizeof(header)));
	EXPECT_EQ(0, __builtin_memcmp(hello, frame.head + sizeof(header),
				      sizeof(hello)));
}
