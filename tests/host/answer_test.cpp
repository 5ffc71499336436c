// SPDX-License-Identifier: GPL-2.0
// Answers of calls: what they wait for, and what they must not.
#include "background.hpp"
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

#include <atomic>
#include <thread>

extern "C" {
#include "kernel/memory.h"
}

using namespace ccm_testing;
using ccm::wire::Answer;
using ccm::wire::Kind;

namespace {

constexpr u32 kFunction = 1;
constexpr u32 kMuch = (1 << 20) - 64;

int answers(ccm_args *, u32)
{
	return 5;
}

int answers_much(ccm_args *args, u32)
{
	Stream much(kMuch);
	const ccm_arg back{.type = CCM_ARG_BYTES,
			   .size = much.size(),
			   .number = 0,
			   .data = much.data()};

	return ccm_core_answer_with(args, &back, 1);
}

int takes_its_time(ccm_args *, u32)
{
	ccm_test_sleep(300);
	return 0;
}

bool offer(Played &play, ccm_handler handler, ccm_handler_kind kind = CCM_SHORT)
{
	return play.attach() && ccm_core_regist(play.node, kModule, kFunction,
						kind, handler, nullptr) == 0;
}

std::vector<Answer> answers_in(Stream stream)
{
	std::vector<Answer> found;

	for (const Frame &frame : cut(stream))
		if (frame.header.kind == Kind::Answer &&
		    frame.header.offset == 0)
			found.push_back(
				ccm::wire::decode_answer(frame.payload.data())
					.value());
	return found;
}

// The peer's socket is full, and so is the queue to it.
bool fill_queue(Played &play)
{
	play.wire->deliver(play.limit(16 << 20));
	if (!play.wire->settles())
		return false;
	play.wire->set_room(0);
	for (u32 seqn = 1; seqn <= 8; seqn++)
		if (play.send(seqn, kMuch) != 0)
			return false;
	return play.wire->fills();
}

// Two nodes, and a network between them.
class Two {
public:
	~Two()
	{
		stop_ = true;
		if (carrier_.joinable())
			carrier_.join();
		for (Wire *wire : wires_)
			if (wire)
				wire->fail(ECONNRESET);
		for (ccm_node *node : nodes)
			if (node)
				ccm_core_destroy(node);
	}
	bool begin(const ccm_limits &limits)
	{
		return begin(limits, limits);
	}
	bool begin(const ccm_limits &first, const ccm_limits &second)
	{
		return begin(0, first) && begin(1, second) && join();
	}

	ccm_node *nodes[2] = {};

private:
	bool begin(u32 at, const ccm_limits &limits)
	{
		ccm_node_config config{.number = at + 1,
				       .cluster = "test",
				       .local = Played::address_of(at + 1)};
		ccm_peer_config peer{.number = 2 - at,
				     .remote = Played::address_of(2 - at),
				     .policy = {}};
		const char *why;
		ccm_node *node = nodes[at] = ccm_core_create(&networks_[at]);

		return node &&
		       !ccm_core_key_set(node, kSecret, sizeof(kSecret),
					 &why) &&
		       !ccm_core_node_set(node, &config, &why) &&
		       !ccm_core_peer_add(node, &peer, &why) &&
		       !ccm_core_attach(node, kModule, &limits, nullptr) &&
		       !ccm_core_regist(node, kModule, kFunction, CCM_LONG,
					takes_its_time, nullptr);
	}
	bool join()
	{
		const char *why;

		(void)ccm_core_listen(nodes[1], 1, 0, &why);
		(void)ccm_core_connect(nodes[0], 2, 0, &why);
		wires_[0] = networks_[0].connects();
		wires_[1] = networks_[1].arrive(Played::address_of(1));
		if (!wires_[0] || !wires_[1]->is_taken())
			return false;
		wires_[0]->establish();
		carrier_ = std::thread([this] { carry(); });
		for (auto &network : networks_) {
			auto change = network.changes();

			if (!change || change->state != CCM_STATE_UP)
				return false;
		}
		return true;
	}
	void carry()
	{
		size_t carried[2] = {};

		while (!stop_) {
			for (u32 from : {0, 1}) {
				Stream said = wires_[from]->sent();

				if (said.size() > carried[from])
					wires_[1 - from]->deliver(
						rest_of(said, carried[from]));
				carried[from] = said.size();
			}
			ccm_test_sleep(2);
		}
	}

	net networks_[2];
	Wire *wires_[2] = {};
	std::atomic<bool> stop_{false};
	std::thread carrier_;
};

int call(ccm_node *node, u32 to, u32 size)
{
	Stream argument(size);
	const ccm_arg arg{.type = CCM_ARG_BYTES,
			  .size = size,
			  .number = 0,
			  .data = argument.data()};
	const ccm_call wanted{.node = to,
			      .module = kModule,
			      .function = kFunction,
			      .seqn = 0,
			      .flags = 0,
			      .timeout_ms = kSoon};
	ccm_answer answer;
	int error = ccm_core_rcall_wait(node, &wanted, &answer, &arg, 1);

	if (!error)
		ccm_core_message_free(answer.message);
	return error;
}

// Each calls the other this often at the same time. How many have an answer.
int both_ways(ccm_node *(&nodes)[2], int often, u32 size)
{
	std::atomic<int> answered{0};
	std::vector<std::thread> callers;

	for (int i = 0; i < 2 * often; i++)
		callers.emplace_back([&, i] {
			u32 from = static_cast<u32>(i % 2);

			answered += call(nodes[from], 2 - from, size) == 0;
		});
	for (std::thread &caller : callers)
		caller.join();
	return answered;
}

} // namespace

// As api.rst reckons: 16 bytes, and 5 besides those of the block.
CCM_TEST(answer, max_size__counts_what_a_call_takes_besides)
{
	constexpr u32 kBlock = 256 << 10;
	Played play;
	Stream block(kBlock + 1);
	const ccm_limits limits{.max_size = 16 + 5 + kBlock, .window = 0};
	ccm_arg arg{.type = CCM_ARG_BYTES,
		    .size = kBlock,
		    .number = 0,
		    .data = block.data()};

	REQUIRE(play.set_node());
	REQUIRE_EQ(0, ccm_core_attach(play.node, kModule, &limits, nullptr));
	ccm_call to_itself{.node = play.me,
			   .module = kModule,
			   .function = kFunction,
			   .seqn = 0,
			   .flags = 0,
			   .timeout_ms = 0};
	EXPECT_EQ(0, ccm_core_rcall(play.node, &to_itself, false, &arg, 1));
	arg.size++;
	EXPECT_EQ(-EMSGSIZE,
		  ccm_core_rcall(play.node, &to_itself, false, &arg, 1));
}

// The windows are full of calls whose answers wait for one another.
CCM_TEST(answer, both_ways__large_calls)
{
	Two two;

	REQUIRE(two.begin({.max_size = 0, .window = 0}));
	EXPECT_EQ(12, both_ways(two.nodes, 6, kMuch));
}

CCM_TEST(answer, both_ways__calls_that_fill_the_window)
{
	Two two;

	REQUIRE(two.begin({.max_size = 16384, .window = 65536}));
	EXPECT_EQ(16, both_ways(two.nodes, 8, 8000));
	EXPECT_EQ(0, call(two.nodes[0], 2, 0));
}

// Whose consumer takes nothing so large can call all the same.
CCM_TEST(answer, max_size__smaller_than_an_empty_answer)
{
	Two two;

	REQUIRE(two.begin({.max_size = 8, .window = 0},
			  {.max_size = 0, .window = 0}));
	EXPECT_EQ(0, call(two.nodes[0], 2, 100));
	EXPECT_EQ(-EMSGSIZE, call(two.nodes[1], 1, 0));
}

// It has asked for it: no limit stops it.
CCM_TEST(answer, limit__is_none_for_answers)
{
	constexpr u32 kCalls = 20;
	Played play;

	REQUIRE(play.begin() && offer(play, answers) && play.meet() &&
		play.say(kHelloFrame));
	REQUIRE(play.wire->sends(kGreeting));
	play.wire->deliver(play.proof() + play.limit(0) + play.ready());
	auto change = play.network.changes();
	REQUIRE(change && change->state == CCM_STATE_UP);
	REQUIRE(play.wire->settles()); // it has told its own limits
	for (u64 id = 1; id <= kCalls; id++)
		play.wire->deliver(play.call(kFunction, id, 1000));
	EXPECT(eventually([&] {
		return answers_in(play.wire->sent()).size() == kCalls;
	}));
	EXPECT_EQ(0, play.info().queued_in);
}

// A peer that calls and does not read uses up its own window.
CCM_TEST(answer, queue__full_keeps_the_calls_charged)
{
	constexpr u32 kCalls = 20;
	constexpr u64 kCharge = 2048; // of 1,016 bytes, as protocol.rst has it
	Played play;

	REQUIRE(play.begin() && offer(play, answers) && play.up());
	REQUIRE(fill_queue(play));
	for (u64 id = 1; id <= kCalls; id++)
		play.wire->deliver(play.call(kFunction, id, 1000));
	REQUIRE(eventually(
		[&] { return play.info().stats.calls_in == kCalls; }));
	EXPECT_EQ(kCalls * kCharge, play.info().queued_in);
	play.wire->set_room(64 << 20);
	EXPECT(eventually([&] {
		return answers_in(play.wire->sent()).size() == kCalls;
	}));
	EXPECT_EQ(0, play.info().queued_in);
	EXPECT_EQ(CCM_STATE_UP, play.info().state);
}

CCM_TEST(answer, queue__full_is_emptied_by_the_end)
{
	Played play;

	REQUIRE(play.begin() && offer(play, answers) && play.up());
	REQUIRE(fill_queue(play));
	play.wire->deliver(play.call(kFunction, 1, 1000));
	REQUIRE(eventually([&] { return play.info().queued_in != 0; }));
	play.wire->end();
	REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	EXPECT_EQ(0, play.info().queued_in);
}

// What is too much to be kept says at least that the call has run.
CCM_TEST(answer, queue__full_of_large_answers)
{
	constexpr u32 kCalls = 20;
	Played play;
	u32 done = 0, too_large = 0;

	REQUIRE(play.begin() && offer(play, answers_much) && play.up());
	REQUIRE(fill_queue(play));
	for (u64 id = 1; id <= kCalls; id++)
		play.wire->deliver(play.call(kFunction, id, 0));
	REQUIRE(eventually(
		[&] { return play.info().stats.calls_in == kCalls; }));
	play.wire->set_room(64 << 20);
	REQUIRE(eventually([&] {
		return answers_in(play.wire->sent()).size() == kCalls;
	}));
	for (const Answer &answer : answers_in(play.wire->sent())) {
		done += answer.outcome == Answer::Outcome::Done;
		too_large += answer.outcome == Answer::Outcome::TooLarge;
	}
	// Seven are charged less than 8 MiB.
	EXPECT_EQ(7, done);
	EXPECT_EQ(kCalls - 7, too_large);
}

// An empty answer needs no memory: its call's is enough. It is sent at once, or
// when the queue has room.
CCM_TEST(answer, memory__none)
{
	bool failed = true;
	Played play;

	REQUIRE(play.begin() && offer(play, answers) && play.up());
	for (u32 nth = 1; failed; nth++) {
		ccm_memory_fail(static_cast<int>(nth));
		play.wire->deliver(play.call(kFunction, nth, 1000));
		EXPECT(eventually([&] {
			return answers_in(play.wire->sent()).size() == nth;
		}));
		failed = host::memory_has_failed();
		ccm_memory_fail(0);
	}
	EXPECT(eventually([&] { return play.info().queued_in == 0; }));
}

CCM_TEST(answer, memory__none_and_the_queue_is_full)
{
	constexpr u32 kCalls = 6;
	Played play;

	REQUIRE(play.begin() && offer(play, answers) && play.up());
	REQUIRE(fill_queue(play));
	u64 waited = play.info().stats.waits;
	for (u32 nth = 1; nth <= kCalls; nth++) {
		ccm_memory_fail(static_cast<int>(nth));
		play.wire->deliver(play.call(kFunction, nth, 1000));
		EXPECT(eventually([&] {
			return play.info().stats.waits == waited + nth;
		}));
		ccm_memory_fail(0);
	}
	EXPECT(play.info().queued_in != 0);
	play.wire->set_room(64 << 20);
	EXPECT(eventually([&] {
		return answers_in(play.wire->sent()).size() == kCalls;
	}));
	EXPECT_EQ(0, play.info().queued_in);
}

// The handler outlives the caller's machine, whose next life begins with the same
// numbers.
CCM_TEST(answer, session__of_an_earlier_one_is_dropped)
{
	Played play(Connects::Peer);

	REQUIRE(play.begin() && offer(play, takes_its_time, CCM_LONG) &&
		play.up());
	play.wire->deliver(play.call(kFunction, 1, 8));
	REQUIRE(play.wire->settles());
	play.wire->end();
	REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	REQUIRE(play.up());
	REQUIRE(eventually([&] { return play.info().stats.calls_in == 1; }));
	EXPECT(eventually([&] { return play.info().queued_in == 0; }));
	REQUIRE(play.wire->settles());
	EXPECT(answers_in(play.wire->sent()).empty());
}
