// SPDX-License-Identifier: GPL-2.0
#include "core/parser.hpp"

#include "random.hpp"
#include "support/memory.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;
using Step = Parser::Step;

namespace {

// A stream of frames, one after the other: messages with these payloads.
constexpr u32 kLengths[] = {0, 1, 47, 48, 49, 200, 0, 3};
constexpr u32 kFrames = sizeof(kLengths) / sizeof(kLengths[0]);
constexpr u32 kStreamSize = kFrames * wire::kHeaderSize + 348;

u8 stream[kStreamSize];

wire::Header header_of(u32 frame)
{
	return {.kind = wire::Kind::Message,
		.module = static_cast<u16>(frame + 1),
		.source = 1,
		.destination = 2,
		.seqn = frame,
		.size = kLengths[frame],
		.length = kLengths[frame],
		.sequence = frame + 1};
}

u8 byte_of(u32 frame, u32 offset)
{
	return static_cast<u8>(frame * 31 + offset * 7 + 1);
}

void write_stream()
{
	u8 *to = stream;

	for (u32 frame = 0; frame < kFrames; frame++) {
		u8 raw[wire::kHeaderSize];

		wire::encode(header_of(frame), raw);
		copy(to, raw, sizeof(raw));
		to += sizeof(raw);
		for (u32 i = 0; i < kLengths[frame]; i++)
			*to++ = byte_of(frame, i);
	}
}

// Follows a parser and says what it did wrong.
struct Watcher {
	explicit Watcher(ccm_test *test_) : test(test_)
	{
		write_stream();
	}

	// Feed it a chunk to its end. False: not as it should be.
	bool feed(const u8 *data, size_t size)
	{
		Bytes bytes{data, size};

		for (;;) {
			switch (parser.feed(bytes)) {
			case Step::More:
				return EXPECT_EQ(0, bytes.size);
			case Step::Header:
				if (!on_header())
					return false;
				break;
			case Step::Payload:
				if (!on_payload())
					return false;
				break;
			case Step::Frame:
				if (!on_frame())
					return false;
				break;
			case Step::Bad:
				return EXPECT(!"the stream is good");
			}
		}
	}
	bool on_header()
	{
		const wire::Header &header = parser.header();
		bool fine = EXPECT(!inside) && EXPECT_EQ(frames, header.seqn) &&
			    EXPECT_EQ(frames + 1, header.module) &&
			    EXPECT_EQ(kLengths[frames], header.length);

		inside = true;
		filled = 0;
		return fine;
	}
	bool on_payload()
	{
		const Parser::Piece &piece = parser.piece();
		bool fine = EXPECT(inside) && EXPECT(piece.size > 0) &&
			    EXPECT_EQ(filled, piece.offset);

		for (size_t i = 0; fine && i < piece.size; i++)
			fine = EXPECT_EQ(byte_of(frames, filled++),
					 piece.data[i]);
		return fine;
	}
	bool on_frame()
	{
		bool fine = EXPECT(inside) &&
			    EXPECT_EQ(kLengths[frames], filled);

		inside = false;
		frames++;
		return fine;
	}

	ccm_test *test;
	Parser parser;
	u32 frames = 0; // whole ones
	bool inside = false;
	u32 filled = 0; // bytes of payload
};

// How many frames end within so many bytes of the stream.
u32 frames_in(size_t size)
{
	u32 frames = 0;

	for (size_t end = 0; frames < kFrames; frames++) {
		end += wire::kHeaderSize + kLengths[frames];
		if (end > size)
			break;
	}
	return frames;
}

} // namespace

CCM_TEST(parser, feed__whole_stream_at_once)
{
	Watcher watcher(test);

	REQUIRE(watcher.feed(stream, kStreamSize));
	EXPECT_EQ(kFrames, watcher.frames);
	EXPECT(!watcher.inside);
}

CCM_TEST(parser, feed__frame_by_frame)
{
	Watcher watcher(test);
	const u8 *at = stream;

	for (u32 frame = 0; frame < kFrames; frame++) {
		size_t size = wire::kHeaderSize + kLengths[frame];

		REQUIRE(watcher.feed(at, size));
		EXPECT_EQ(frame + 1, watcher.frames);
		at += size;
	}
}

CCM_TEST(parser, feed__byte_by_byte)
{
	Watcher watcher(test);

	for (u32 i = 0; i < kStreamSize; i++) {
		REQUIRE(watcher.feed(stream + i, 1));
		EXPECT_EQ(frames_in(i + 1), watcher.frames);
	}
}

CCM_TEST(parser, feed__in_random_cuts)
{
	for (u64 seed = 0; seed < 500; seed++) {
		Watcher watcher(test);
		Random random(seed);
		u32 most = random.between(1, 150);

		for (u32 at = 0, size; at < kStreamSize; at += size) {
			size = random.between(0, most);
			if (size > kStreamSize - at)
				size = kStreamSize - at;
			REQUIRE(watcher.feed(stream + at, size));
		}
		EXPECT_EQ(kFrames, watcher.frames);
	}
}

CCM_TEST(parser, feed__stops_anywhere_in_a_truncated_stream)
{
	for (u32 size = 0; size < kStreamSize; size++) {
		Watcher watcher(test);

		REQUIRE(watcher.feed(stream, size));
		EXPECT_EQ(frames_in(size), watcher.frames);
	}
}

CCM_TEST(parser, feed__nothing)
{
	Parser parser;
	Bytes none{nullptr, 0};

	EXPECT(parser.feed(none) == Step::More);
	EXPECT(parser.feed(none) == Step::More);
}

CCM_TEST(parser, feed__does_not_look_ahead)
{
	Parser parser;
	Bytes bytes{stream, kStreamSize};

	write_stream();
	EXPECT(parser.feed(bytes) == Step::Header);
	EXPECT_EQ(kStreamSize - wire::kHeaderSize, bytes.size);
	EXPECT(parser.feed(bytes) == Step::Frame); // it is empty
	EXPECT_EQ(kStreamSize - wire::kHeaderSize, bytes.size);
	EXPECT(parser.feed(bytes) == Step::Header);
	EXPECT(parser.feed(bytes) == Step::Payload);
	EXPECT_EQ(kStreamSize - 2 * wire::kHeaderSize - 1, bytes.size);
}

CCM_TEST(parser, feed__ends_a_frame_without_another_byte)
{
	Parser parser;
	Bytes bytes{stream, wire::kHeaderSize};
	Bytes none{nullptr, 0};

	write_stream();
	EXPECT(parser.feed(bytes) == Step::Header);
	EXPECT(parser.feed(none) == Step::Frame);
	EXPECT(parser.feed(none) == Step::More);
}

CCM_TEST(parser, feed__gives_payload_where_it_lies)
{
	Parser parser;

	write_stream();
	Bytes bytes{stream + wire::kHeaderSize,
		    kStreamSize - wire::kHeaderSize};
	REQUIRE(parser.feed(bytes) == Step::Header);
	REQUIRE(parser.feed(bytes) == Step::Payload);
	EXPECT(parser.piece().data == stream + 2 * wire::kHeaderSize);
	EXPECT_EQ(1, parser.piece().size);
}

CCM_TEST(parser, feed__stops_for_ever_at_a_bad_header)
{
	static const struct {
		int byte;
		int error;
	} kBad[] = {{0, EPROTO}, {2, EPROTONOSUPPORT}, {3, EPROTO}};

	for (auto &bad : kBad) {
		u8 raw[wire::kHeaderSize];
		Parser parser;

		wire::encode(header_of(0), raw);
		raw[bad.byte] = 0x77;
		Bytes bytes{raw, sizeof(raw)};
		EXPECT(parser.feed(bytes) == Step::Bad);
		EXPECT_EQ(bad.error, parser.error());

		write_stream();
		Bytes good{stream, kStreamSize};
		EXPECT(parser.feed(good) == Step::Bad);
		EXPECT(parser.feed(good) == Step::Bad);
		EXPECT_EQ(kStreamSize, good.size);
		EXPECT_EQ(bad.error, parser.error());
	}
}

CCM_TEST(parser, feed__judges_a_header_when_it_is_whole)
{
	u8 garbage[wire::kHeaderSize];
	Parser parser;

	for (u8 &byte : garbage)
		byte = 'x';
	Bytes most{garbage, sizeof(garbage) - 1};
	EXPECT(parser.feed(most) == Step::More);
	Bytes last{garbage, 1};
	EXPECT(parser.feed(last) == Step::Bad);
}

CCM_TEST(parser, feed__bad_header_behind_good_frames)
{
	Watcher watcher(test);
	u8 garbage[wire::kHeaderSize] = {};

	REQUIRE(watcher.feed(stream, kStreamSize));
	Bytes bytes{garbage, sizeof(garbage)};
	EXPECT(watcher.parser.feed(bytes) == Step::Bad);
	EXPECT_EQ(EPROTO, watcher.parser.error());
}

CCM_TEST(parser, feed__survives_random_bytes)
{
	for (u64 seed = 0; seed < 200; seed++) {
		Random random(seed);
		Parser parser;
		u8 raw[wire::kHeaderSize];

		// Mostly right, so that some of it is taken for a frame.
		wire::encode(header_of(random.below(kFrames)), raw);
		for (u32 i = random.below(3); i > 0; i--)
			raw[random.below(sizeof(raw))] =
				static_cast<u8>(random.below(256));
		Bytes bytes{raw, sizeof(raw)};
		Step step = parser.feed(bytes);
		EXPECT(step == Step::Header || step == Step::Bad);
		EXPECT((step == Step::Bad) == (parser.error() != 0));
		if (step == Step::Header)
			EXPECT(parser.header().length <= wire::kPayloadMax);
	}
}
