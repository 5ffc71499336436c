// SPDX-License-Identifier: GPL-2.0
// Calls of a node to itself, and what may come between their steps.
#include "background.hpp"
#include "between.hpp"
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

#include <atomic>
#include <ctime>

extern "C" {
#include "kernel/memory.h"
}

using namespace ccm_testing;

namespace {

constexpr u32 kFunction = 1;

// A node with a number, its consumer, and no peer.
class Lone : public Played {
public:
	bool begin(ccm_handler handler, ccm_handler_kind kind = CCM_SHORT,
		   void *context = nullptr)
	{
		return node && set_node() && attach() &&
		       ccm_core_regist(node, kModule, kFunction, kind, handler,
				       context) == 0;
	}
	ccm_call call(int timeout_ms = kSoon) const
	{
		return {.node = me,
			.module = kModule,
			.function = kFunction,
			.seqn = 0,
			.flags = 0,
			.timeout_ms = timeout_ms};
	}
	int call_one_way(bool on_thread)
	{
		ccm_call to_itself = call();

		return ccm_core_rcall(node, &to_itself, on_thread, nullptr, 0);
	}
	int call_short()
	{
		return call_one_way(false);
	}
	int call_long()
	{
		return call_one_way(true);
	}
	int send_itself(u32 seqn)
	{
		return send_to(me, seqn);
	}
	u32 handlers() const
	{
		ccm_handler_info info;
		ccm_cursor at{};
		u32 count = 0;

		while (ccm_core_handler_info(node, &at, &info) == 0)
			count++;
		return count;
	}
	bool attached() const
	{
		ccm_consumer_info info{};

		return ccm_core_consumer_info(node, kModule, &info) == 0 &&
		       info.attached;
	}
	int detach() const
	{
		return ccm_core_detach(node, kModule);
	}
	// And it is done.
	int remove() const
	{
		int result = ccm_core_node_delete(node, nullptr);

		(void)eventually([&] {
			ccm_node_info now{};

			ccm_core_node_info(node, &now);
			return now.config.number == 0;
		});
		return result;
	}
};

int returns(ccm_args *, u32)
{
	return 5;
}

struct Gate {
	std::atomic<u32> came{0};
	std::atomic<bool> open{false};

	static int waits(ccm_args *args, u32)
	{
		Gate &gate = *static_cast<Gate *>(args->context);

		gate.came++;
		while (!gate.open)
			ccm_test_sleep(1);
		return 0;
	}
};

// How many calls a dump tells, of what happens to them.
struct Dump {
	u32 running = 0;
	u32 queued = 0;
	u32 awaited = 0;

	// what() is done before each.
	template <class F> static Dump of(ccm_node *node, F what)
	{
		Dump dump;
		ccm_call_info call;
		ccm_cursor at{};

		for (what(); ccm_core_call_info(node, &at, &call) == 0;
		     what()) {
			dump.running += call.what == CCM_CALL_WHAT_LONG;
			dump.queued += call.what == CCM_CALL_WHAT_QUEUED;
			dump.awaited += call.what == CCM_CALL_WHAT_AWAITED;
		}
		return dump;
	}
	static Dump of(ccm_node *node)
	{
		return of(node, [] {});
	}
};

// Time of the processor that this thread has had.
u64 worked_ns()
{
	timespec now{};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return static_cast<u64>(now.tv_sec) * 1000000000 +
	       static_cast<u64>(now.tv_nsec);
}

int set_node_of(const Played &play, ccm_node *node)
{
	ccm_node_config config{.number = play.me,
			       .cluster = "test",
			       .local = Played::address_of(play.me)};
	const char *why;
	int error = ccm_core_key_set(node, kSecret, sizeof(kSecret), &why);

	return error ? error : ccm_core_node_set(node, &config, &why);
}

// How often an asynchronous call's end was told.
struct Told {
	std::atomic<u32> times{0};

	static void done(void *context, int, ccm_answer *)
	{
		static_cast<Told *>(context)->times++;
	}
};

// A node with many calls to itself, which wait for threads and for their answers:
// those that run go on when the gate opens.
class Laden : public Lone {
public:
	bool begin_with(u32 count)
	{
		const ccm_limits room{.max_size = 4096, .window = 200u << 20};

		if (!node || !set_node() ||
		    ccm_core_attach(node, kModule, &room, nullptr) ||
		    ccm_core_regist(node, kModule, kFunction, CCM_LONG,
				    Gate::waits, &gate))
			return false;
		for (u32 i = 0; i < count; i++)
			if (!begin_one())
				return false;
		return is_queued();
	}
	bool begin_one()
	{
		ccm_call one = call(CCM_FOREVER);

		begun++;
		return ccm_core_rcall_begin(node, &one, Told::done, &told,
					    nullptr, 0) == 0;
	}
	// Whatever no thread has time for.
	bool is_queued()
	{
		return eventually([&] {
			return gate.came == kThreads &&
			       Dump::of(node).queued == begun - kThreads;
		});
	}
	bool ends()
	{
		gate.open = true;
		return eventually([&] { return told.times == begun; });
	}

	static constexpr u32 kThreads = 32; // that a node has
	Gate gate;
	Told told;
	u32 begun = 0;
};

// Of three times the least: others may be in the way.
u64 work_of_dump(ccm_test *test, u32 count)
{
	u64 least = ~0ull;
	Laden laden;

	if (!EXPECT(laden.begin_with(count)))
		return least;
	for (int i = 0; i < 3; i++) {
		u64 before = worked_ns();
		Dump dump = Dump::of(laden.node);
		u64 worked = worked_ns() - before;

		EXPECT_EQ(count, dump.awaited);
		EXPECT_EQ(Laden::kThreads, dump.running);
		EXPECT_EQ(count - Laden::kThreads, dump.queued);
		least = worked < least ? worked : least;
	}
	EXPECT(laden.ends());
	return least;
}

// Begin a call, with what() between its steps, behind each of them once. The
// caller is told of its end once, or else that it has not begun.
template <class F> void begin_with(ccm_test *test, F what)
{
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		Told told;
		ccm_call call = lone.call();

		REQUIRE(lone.begin(returns));
		int error;
		{
			auto to_it = [&] {
				what(lone);
			};
			Between between(nth, to_it);

			error = ccm_core_rcall_begin(lone.node, &call,
						     Told::done, &told, nullptr,
						     0);
			came = between.came();
		}
		u32 times = error ? 0 : 1;
		EXPECT(eventually([&] { return told.times == times; }));
	}
}

} // namespace

// Who unregisters has taken the handler out of the list, and waits for it; who
// detaches meanwhile finds none in the list.
CCM_TEST(self, detach__waits_for_what_another_thread_unregisters)
{
	Lone lone;
	Gate gate;

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	ccm_call call = lone.call();
	REQUIRE_EQ(0, ccm_core_rcall(lone.node, &call, true, nullptr, 0));
	REQUIRE(eventually([&] { return gate.came == 1; }));
	Background unregister([&] {
		EXPECT_EQ(0, ccm_core_unregist(lone.node, kModule, kFunction));
	});
	EXPECT(unregister.goes_on());
	Background detach([&] { EXPECT_EQ(0, lone.detach()); });
	EXPECT(detach.goes_on());
	gate.open = true;
	EXPECT(detach.ends());
	EXPECT(unregister.ends());
}

// Nothing is left of the node, whichever is first.
CCM_TEST(self, node_set__namespace_ends_meanwhile)
{
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		ccm_node *node = lone.node;

		REQUIRE(node && ccm_core_get(node));
		lone.node = nullptr; // ours to end
		{
			auto to_it = [&] {
				ccm_core_destroy(node);
			};
			Between between(nth, to_it);

			(void)set_node_of(lone, node);
			came = between.came();
		}
		EXPECT_EQ(-ENOTCONN, ccm_core_number(node));
		ccm_core_put(node);
	}
}

CCM_TEST(self, begin__detached_meanwhile)
{
	begin_with(test, [&](Lone &lone) { EXPECT_EQ(0, lone.detach()); });
}

CCM_TEST(self, begin__node_deleted_meanwhile)
{
	begin_with(test, [&](Lone &lone) { EXPECT_EQ(0, lone.remove()); });
}

// Above what the listener does at once. They were accepted, and so they run.
CCM_TEST(self, node_delete__with_calls_that_wait)
{
	constexpr u32 kCalls = 200;
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_SHORT, &gate));
	for (u32 i = 0; i < kCalls; i++)
		EXPECT_EQ(0, lone.call_short());
	REQUIRE(eventually([&] { return gate.came == 1; }));
	Background remover([&] { EXPECT_EQ(0, lone.remove()); });
	EXPECT(remover.goes_on());
	gate.open = true;
	EXPECT(remover.ends());
	EXPECT_EQ(kCalls, gate.came);
}

// What the caller gave changes behind each of its steps: it is read before.
CCM_TEST(self, send__of_what_grows_meanwhile)
{
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		char text[] = "text";
		ccm_msg msg{.node = lone.me,
			    .module = kModule,
			    .type = kType,
			    .seqn = 1,
			    .size = sizeof(text),
			    .data = text};
		auto grow = [&] {
			msg.size = (1ull << 32) + 1;
			msg.module = 1u << 20;
		};

		REQUIRE(lone.begin(returns));
		Between between(nth, grow);
		EXPECT_EQ(0, ccm_core_send(lone.node, &msg, 0, kSoon));
		came = between.came();
		ccm_consumer_info held{};
		EXPECT_EQ(0, ccm_core_consumer_info(lone.node, kModule, &held));
		EXPECT_EQ(1, held.messages);
	}
}

CCM_TEST(self, call__of_what_changes_meanwhile)
{
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		char name[16] = "sh";
		ccm_call call = lone.call();
		ccm_answer answer;
		ccm_arg arg{.type = CCM_ARG_STRING,
			    .size = 0,
			    .number = 0,
			    .data = name};
		auto change = [&] {
			std::memcpy(name, "kworker/u8:1-ev", sizeof(name));
			call.module = call.node = 1u << 20;
			call.flags = ~0u;
		};

		REQUIRE(lone.begin(returns));
		Between between(nth, change);
		EXPECT_EQ(0, ccm_core_rcall_wait(lone.node, &call, &answer,
						 &arg, 1));
		came = between.came();
		ccm_core_message_free(answer.message);
	}
}

namespace {

constexpr u32 kRing = 3;

// Handlers that each remove the next one's function or number, or what is left of
// a circle, when all of them run.
struct Circle {
	std::atomic<u32> came{0}, removed{0}, refused{0}, others{0};

	void wait_for_all()
	{
		came++;
		while (came < kRing)
			ccm_test_sleep(1);
	}
	void count(int error)
	{
		(error == 0 ? removed : error == -EDEADLK ? refused : others)++;
	}
	static int unregisters_next(ccm_args *args, u32)
	{
		Circle &circle = *static_cast<Circle *>(args->context);

		circle.wait_for_all();
		circle.count(ccm_core_unregist(circle.node, kModule,
					       args->function % kRing + 1));
		return 0;
	}
	static int detaches_next(ccm_args *args, u32)
	{
		Circle &circle = *static_cast<Circle *>(args->context);
		u32 next = args->module == kModule + kRing - 1
				   ? kModule
				   : args->module + 1;

		circle.wait_for_all();
		circle.count(ccm_core_detach(circle.node, next));
		return 0;
	}
	int begin(u32 module, u32 function, ccm_handler handler)
	{
		ccm_call call{.node = 1,
			      .module = module,
			      .function = function,
			      .seqn = 0,
			      .flags = 0,
			      .timeout_ms = kSoon};
		int error = ccm_core_regist(node, module, function, CCM_LONG,
					    handler, this);

		return error ? error
			     : ccm_core_rcall(node, &call, true, nullptr, 0);
	}
	u32 ended() const
	{
		return removed + refused + others;
	}

	ccm_node *node = nullptr;
};

} // namespace

// Each waits for the next one to end: one of them is refused, and they all end.
CCM_TEST(self, unregist__in_a_circle)
{
	Circle circle;
	Lone lone;

	REQUIRE(lone.set_node() && lone.attach());
	circle.node = lone.node;
	for (u32 function = 1; function <= kRing; function++)
		EXPECT_EQ(0, circle.begin(kModule, function,
					  Circle::unregisters_next));
	EXPECT(eventually([&] { return circle.ended() == kRing; }));
	EXPECT_EQ(1, circle.refused);
	EXPECT_EQ(kRing - 1, circle.removed);
	EXPECT(eventually([&] { return lone.handlers() == 1; }));
}

CCM_TEST(self, detach__in_a_circle)
{
	Circle circle;
	Lone lone;

	REQUIRE(lone.set_node());
	circle.node = lone.node;
	for (u32 module = kModule; module < kModule + kRing; module++) {
		EXPECT_EQ(0,
			  ccm_core_attach(lone.node, module, nullptr, nullptr));
		EXPECT_EQ(0, circle.begin(module, 1, Circle::detaches_next));
	}
	EXPECT(eventually([&] { return circle.ended() == kRing; }));
	EXPECT_EQ(1, circle.refused);
	EXPECT_EQ(kRing - 1, circle.removed);
}

// After five seconds, once; and before the end that it holds up.
CCM_TEST(self, unregist__names_who_holds_it_up)
{
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([&] { return gate.came == 1; }));
	host::Warnings warnings;
	Background remover([&] {
		EXPECT_EQ(0, ccm_core_unregist(lone.node, kModule, kFunction));
	});
	ccm_test_sleep(3000);
	EXPECT(warnings.none());
	EXPECT(eventually([&] { return !warnings.none(); }));
	EXPECT(warnings.last_has(
		"function 1 of module number 7 (), called by node 1 "));
	EXPECT(!remover.done());
	gate.open = true;
	EXPECT(remover.ends());
	EXPECT_EQ(1, warnings.count());
}

// The same for a consumer that has forgotten it all, on a thread or in the listener.
static void end_with(ccm_test *test, ccm_handler_kind kind)
{
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, kind, &gate));
	EXPECT_EQ(0, lone.call_one_way(kind == CCM_LONG));
	EXPECT(eventually([&] { return gate.came == 1; }));
	host::Warnings warnings;
	Background ending([&] {
		ccm_core_destroy(lone.node);
		lone.node = nullptr;
	});
	EXPECT(eventually([&] { return !warnings.none(); }));
	EXPECT(warnings.last_has(
		"function 1 of module number 7 (), called by node 1 "));
	gate.open = true;
	EXPECT(ending.ends());
}

CCM_TEST(self, destroy__names_who_holds_it_up)
{
	end_with(test, CCM_LONG);
	end_with(test, CCM_SHORT);
}

// Memory is missing when others use the number already: it ends as by a detach, and
// who waits for a handler of it meanwhile keeps nothing that others need.
CCM_TEST(self, attach__without_memory_when_others_use_it)
{
	int result = 1;
	std::atomic<bool> in_use{false};
	Gate gate;
	Lone lone;
	ccm_node_info info;

	REQUIRE(lone.begin(returns) && lone.detach() == 0);
	// It has no channel for the number.
	REQUIRE(lone.add_peer());
	Background attacher([&] {
		host::memory_fails(1, [&] {
			EXPECT(eventually([&] { return in_use.load(); }));
		});
		result = ccm_core_attach(lone.node, kModule, nullptr, nullptr);
	});
	REQUIRE(eventually([&] { return lone.attached(); }));
	EXPECT_EQ(0, ccm_core_regist(lone.node, kModule, kFunction, CCM_SHORT,
				     Gate::waits, &gate));
	EXPECT_EQ(0, lone.call_short());
	EXPECT(eventually([&] { return gate.came == 1; }));
	in_use = true;
	EXPECT(eventually([&] { return !lone.attached(); }));
	ccm_test_sleep(20);
	Background others([&] { ccm_core_node_info(lone.node, &info); });
	EXPECT(others.ends());
	EXPECT(attacher.goes_on());
	gate.open = true;
	EXPECT(attacher.ends());
	ccm_memory_fail(0);
	EXPECT_EQ(-ENOMEM, result);
	EXPECT_EQ(0, lone.handlers());
	EXPECT(lone.attach());
}

// Whoever attaches behind a step of a detach keeps what he registers.
CCM_TEST(self, detach__attached_anew_meanwhile)
{
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		bool anew = false;
		auto attach = [&] {
			anew = lone.attach() &&
			       ccm_core_regist(lone.node, kModule, kFunction,
					       CCM_SHORT, returns,
					       nullptr) == 0;
		};

		REQUIRE(lone.begin(returns));
		{
			Between between(nth, attach);

			EXPECT_EQ(0, lone.detach());
			came = between.came();
		}
		EXPECT_EQ(anew ? 1 : 0, lone.handlers());
	}
}

// Two that detach what one owner has, as his module goes, and one of them waits for
// a handler: neither is done before that.
CCM_TEST(self, forget__while_another_detaches)
{
	auto *owner = reinterpret_cast<struct module *>(0x10);
	Gate gate;
	Lone lone;

	REQUIRE(lone.set_node());
	REQUIRE_EQ(0, ccm_core_attach(lone.node, kModule, nullptr, owner));
	REQUIRE_EQ(0, ccm_core_regist(lone.node, kModule, kFunction, CCM_SHORT,
				      Gate::waits, &gate));
	EXPECT_EQ(0, lone.call_short());
	REQUIRE(eventually([&] { return gate.came == 1; }));
	Background detacher([&] { EXPECT_EQ(0, lone.detach()); });
	EXPECT(eventually([&] { return !lone.attached(); }));
	Background forgetter(
		[&] { EXPECT_EQ(0, ccm_core_forget(lone.node, owner)); });
	EXPECT(forgetter.goes_on());
	gate.open = true;
	EXPECT(detacher.ends() && forgetter.ends());
	EXPECT(!ccm_core_has(lone.node, owner));
}

// The number of a module that goes may have become another's, behind its back.
CCM_TEST(self, forget__another_attaches_meanwhile)
{
	auto *owner = reinterpret_cast<struct module *>(0x10);
	auto *another = reinterpret_cast<struct module *>(0x20);
	bool came = true;

	for (u32 nth = 1; came; nth++) {
		Lone lone;
		bool attached = false;
		auto change_hands = [&] {
			attached = lone.detach() == 0 &&
				   ccm_core_attach(lone.node, kModule, nullptr,
						   another) == 0;
		};

		REQUIRE(lone.set_node());
		REQUIRE_EQ(0,
			   ccm_core_attach(lone.node, kModule, nullptr, owner));
		{
			Between between(nth, change_hands);

			(void)ccm_core_forget(lone.node, owner);
			came = between.came();
		}
		EXPECT(!ccm_core_has(lone.node, owner));
		if (attached)
			EXPECT(ccm_core_has(lone.node, another));
	}
}

// As between two nodes: what was sent before a call is there when it runs, what was
// sent after it is not.
CCM_TEST(self, order__of_calls_and_messages)
{
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_SHORT, &gate));
	EXPECT_EQ(0, lone.send_itself(1));
	EXPECT_EQ(0, lone.call_short());
	EXPECT_EQ(0, lone.send_itself(2));
	EXPECT_EQ(0, lone.call_short());
	EXPECT_EQ(0, lone.send_itself(3));
	EXPECT(eventually([&] { return gate.came == 1; }));
	EXPECT_EQ(0, lone.receive(1));
	EXPECT_EQ(-EAGAIN, lone.receive(2));
	EXPECT_EQ(-EAGAIN, lone.receive(3));
	gate.open = true;
	EXPECT_EQ(0, lone.receive(3, kSoon));
	EXPECT_EQ(2, gate.came);
	EXPECT_EQ(0, lone.receive(2));
	EXPECT_EQ(0, lone.send_itself(4));
	EXPECT_EQ(0, lone.receive(4, kSoon));
}

// What was sent after a call is not lost with the node, as what is queued is not.
CCM_TEST(self, order__and_the_node_is_deleted)
{
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_SHORT, &gate));
	EXPECT_EQ(0, lone.call_short());
	EXPECT_EQ(0, lone.send_itself(1));
	EXPECT(eventually([&] { return gate.came == 1; }));
	Background remover([&] { EXPECT_EQ(0, lone.remove()); });
	EXPECT(remover.goes_on());
	gate.open = true;
	EXPECT(remover.ends());
	EXPECT_EQ(0, lone.receive(1));
}

// There is no memory for a second thread; while that turns out the first has become
// idle.
CCM_TEST(self, long__without_memory_for_a_thread)
{
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([&] { return gate.came == 1; }));
	// The call itself is the first.
	host::memory_fails(2, [&] {
		EXPECT(eventually([&] { return gate.open.load(); }));
		ccm_test_sleep(100);
	});
	u64 begin = ccm_now_ms();
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([] { return host::memory_has_failed(); }));
	gate.open = true;
	EXPECT(eventually([&] { return gate.came == 2; }));
	EXPECT(ccm_now_ms() - begin < 3000);
}

// The kernel makes a thread with memory that may come free only by what the listener
// does: it goes on meanwhile, and the call waits.
CCM_TEST(self, long__while_a_thread_is_made)
{
	constexpr u32 kShort = 2;
	Gate gate;
	Lone lone;
	ccm_answer answer{};
	ccm_call quick = lone.call(1000);

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	REQUIRE_EQ(0, ccm_core_regist(lone.node, kModule, kShort, CCM_SHORT,
				      returns, nullptr));
	quick.function = kShort;
	{
		host::NoNewThreads none;

		EXPECT_EQ(0, lone.call_long());
		EXPECT_EQ(0, ccm_core_rcall_wait(lone.node, &quick, &answer,
						 nullptr, 0));
		EXPECT_EQ(5, answer.result);
		EXPECT_EQ(1, Dump::of(lone.node).queued);
		EXPECT_EQ(0, gate.came);
	}
	if (answer.message)
		ccm_core_message_free(answer.message);
	EXPECT(eventually([&] { return gate.came == 1; }));
	gate.open = true;
}

// Calls that wait while it turns out that there is no thread for them, and that there
// will be none, are refused; the next one is a new attempt.
CCM_TEST(self, long__without_memory_for_any_thread)
{
	std::atomic<bool> both{false};
	Gate gate;
	Lone lone;
	ccm_peer_info self{};

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	gate.open = true;
	// The call itself is the first.
	host::memory_fails(
		2, [&] { EXPECT(eventually([&] { return both.load(); })); });
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([] { return host::memory_has_failed(); }));
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([&] { return Dump::of(lone.node).queued == 2; }));
	both = true;
	EXPECT(eventually([&] {
		return ccm_core_peer_info(lone.node, lone.me, &self) == 0 &&
		       self.stats.calls_refused == 2;
	}));
	EXPECT_EQ(0, self.queued_in);
	EXPECT_EQ(0, gate.came);
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([&] { return gate.came == 1; }));
}

// It ends when the thread is there; the call has not begun, and does not.
CCM_TEST(self, destroy__while_a_thread_is_made)
{
	std::atomic<bool> go{false};
	Gate gate;
	Lone lone;

	REQUIRE(lone.begin(Gate::waits, CCM_LONG, &gate));
	Background ending([&] {
		while (!go)
			ccm_test_sleep(1);
		ccm_core_destroy(lone.node);
		lone.node = nullptr;
	});
	host::NoNewThreads none;
	EXPECT_EQ(0, lone.call_long());
	EXPECT(eventually([&] { return Dump::of(lone.node).queued == 1; }));
	go = true;
	EXPECT(ending.goes_on());
	host::NoNewThreads::end();
	EXPECT(ending.ends());
	EXPECT_EQ(0, gate.came);
}

// Whichever allocation fails: a caller that waits for ever has its answer, or is
// told that the call has not begun.
CCM_TEST(self, call__without_memory)
{
	bool failed = true;

	for (int nth = 1; failed; nth++) {
		Lone lone;
		ccm_answer answer{};
		ccm_call call = lone.call(CCM_FOREVER);

		REQUIRE(lone.begin(returns));
		ccm_memory_fail(nth);
		int error = ccm_core_rcall_wait(lone.node, &call, &answer,
						nullptr, 0);
		failed = host::memory_has_failed();
		ccm_memory_fail(0);
		EXPECT(error == 0 || error == -ENOMEM);
		if (!error) {
			EXPECT_EQ(5, answer.result);
			ccm_core_message_free(answer.message);
		}
		// And it is charged no longer.
		ccm_peer_info self{};
		EXPECT_EQ(0, ccm_core_peer_info(lone.node, lone.me, &self));
		EXPECT_EQ(0, self.queued_in);
	}
}

// Ten times the calls are ten times the work, and a little more: a walk from the
// front to each of them would be a hundred times.
CCM_TEST(self, dump__work_of_many_calls)
{
	const u64 few = work_of_dump(test, 3000);
	const u64 many = work_of_dump(test, 30000);

	EXPECT(many < few * 40);
}

// A dump tells once what is there all the while, and ends, though more come as fast
// as it goes on.
CCM_TEST(self, dump__more_calls_meanwhile)
{
	constexpr u32 kBefore = 40;
	constexpr u32 kLeft = 500; // after which it is given up
	Laden laden;

	REQUIRE(laden.begin_with(kBefore));
	Dump dump = Dump::of(laden.node, [&] {
		if (laden.begun < kLeft)
			EXPECT(laden.begin_one() && laden.is_queued());
	});
	EXPECT(laden.begun < kLeft);
	EXPECT_EQ(Laden::kThreads, dump.running);
	EXPECT(dump.queued >= kBefore - Laden::kThreads);
	EXPECT(dump.awaited >= kBefore);
	EXPECT(laden.ends());
}

// Functions in their order, each once, however many come and go.
CCM_TEST(self, dump__functions_that_come_and_go)
{
	constexpr u32 kFunctions = 200;
	Lone lone;
	ccm_cursor at{};
	ccm_handler_info info{};
	u32 told = 0;

	REQUIRE(lone.begin(returns));
	for (u32 f = kFunctions; f > kFunction; f--)
		REQUIRE_EQ(0, ccm_core_regist(lone.node, kModule, f, CCM_SHORT,
					      returns, nullptr));
	while (ccm_core_handler_info(lone.node, &at, &info) == 0) {
		EXPECT_EQ(++told, info.function);
		EXPECT_EQ(0, ccm_core_unregist(lone.node, kModule, told));
	}
	EXPECT_EQ(kFunctions, told);
	EXPECT_EQ(0, lone.handlers());
}
