// SPDX-License-Identifier: GPL-2.0
#include "core/parser.hpp"

#include "support/memory.hpp"

namespace ccm {

namespace {

u32 smaller(size_t a, size_t b)
{
	return static_cast<u32>(a < b ? a : b);
}

} // namespace

Parser::Step Parser::feed(Bytes &bytes)
{
	switch (state_) {
	case State::Header:
		return feed_header(bytes);
	case State::Payload:
		return feed_payload(bytes);
	case State::Bad:
		break;
	}
	return Step::Bad;
}

Parser::Step Parser::feed_header(Bytes &bytes)
{
	u32 count = smaller(bytes.size, wire::kHeaderSize - have_);

	copy(raw_ + have_, bytes.take(count), count);
	have_ += count;
	if (have_ < wire::kHeaderSize)
		return Step::More;

	auto decoded = wire::decode(raw_);
	if (!decoded.ok()) {
		error_ = decoded.error();
		state_ = State::Bad;
		return Step::Bad;
	}
	header_ = decoded.value();
	have_ = 0;
	state_ = State::Payload;
	return Step::Header;
}

Parser::Step Parser::feed_payload(Bytes &bytes)
{
	if (have_ == header_.length) {
		have_ = 0;
		state_ = State::Header;
		return Step::Frame;
	}
	if (bytes.size == 0)
		return Step::More;

	u32 count = smaller(bytes.size, header_.length - have_);
	piece_ = {.data = bytes.take(count), .size = count, .offset = have_};
	have_ += count;
	return Step::Payload;
}

} // namespace ccm
