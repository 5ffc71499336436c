// SPDX-License-Identifier: GPL-2.0
// Calls between nodes: handlers, answers, and all that may go wrong with them.
#include "cluster.hpp"

#include "core/pool.hpp"
#include "kernel/memory.h"
#include "support/atomic.hpp"
#include "support/errno.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

// As CCM_U32() and its like, which are for C.
ccm_arg number(u32 value)
{
	return {.type = CCM_ARG_U32,
		.size = 0,
		.number = value,
		.data = nullptr};
}

ccm_arg bytes(const void *data, size_t size)
{
	return {.type = CCM_ARG_BYTES, .size = size, .number = 0, .data = data};
}

ccm_call to(u32 node, u32 function, int timeout_ms = kSoon, u32 seqn = 1)
{
	return {.node = node,
		.module = kModule,
		.function = function,
		.seqn = seqn,
		.flags = 0,
		.timeout_ms = timeout_ms};
}

template <size_t N>
int call_short(u32 from, const ccm_call &call, const ccm_arg (&args)[N])
{
	return ccm_rcall_short(ccm_test_net(from), &call, args, N);
}

template <size_t N>
int call_long(u32 from, const ccm_call &call, const ccm_arg (&args)[N])
{
	return ccm_rcall_long(ccm_test_net(from), &call, args, N);
}

int call_wait(u32 from, const ccm_call &call, ccm_answer &answer)
{
	return ccm_rcall_wait(ccm_test_net(from), &call, &answer, nullptr, 0);
}

// The result alone.
int result_of(u32 from, const ccm_call &call, int *error = nullptr)
{
	ccm_answer answer{};
	int failed = call_wait(from, call, answer);

	if (error)
		*error = failed;
	CCM_answer_free(&answer);
	return failed ? 0 : answer.result;
}

// What handlers do, and what they saw.
struct Service {
	Atomic<u32> ran, running, most, sum, may_end;
	Atomic<int> said{0};
	u32 other = 0; // node to talk to

	void enter()
	{
		u32 now = running.add(1);
		u32 seen = most.load();

		while (now > seen && !most.replace(seen, now))
			seen = most.load();
	}
	void leave()
	{
		running.add(~0u);
		ran.add(1);
	}
	static Service &of(ccm_args *args)
	{
		return *static_cast<Service *>(args->context);
	}
};

int adds(ccm_args *args, u32)
{
	u32 value = 0;
	int error = CCM_get_u32(args, &value);

	Service::of(args).sum.add(value);
	Service::of(args).ran.add(1);
	return error ? error : static_cast<int>(value) + 1;
}

int waits_until_told(ccm_args *args, u32)
{
	Service &service = Service::of(args);

	service.enter();
	while (!service.may_end.load())
		ccm_test_sleep(5);
	service.leave();
	return 7;
}

// Waits inside CCM for what never comes.
int receives(ccm_args *args, u32)
{
	Service &service = Service::of(args);
	char byte;
	ccm_msg msg = wanted(CCM_ANY_NODE, &byte, 1, 99);

	service.enter();
	int result = CCM_brecv(args->net, &msg, 0, CCM_FOREVER);
	service.said.store(result);
	service.leave();
	return result;
}

// What a short handler must not do, all of it.
int tries_to_wait(ccm_args *args, u32)
{
	Service &service = Service::of(args);
	ccm_call call = to(args->node, 1);
	ccm_answer answer;
	char byte;
	ccm_msg msg = wanted(CCM_ANY_NODE, &byte, 1);
	int wrong = 0;

	wrong += CCM_brecv(args->net, &msg, 0, 10) != -EDEADLK;
	wrong += CCM_arecv(args->net, &msg, 0) != -EAGAIN;
	wrong += ccm_rcall_wait(args->net, &call, &answer, nullptr, 0) !=
		 -EDEADLK;
	wrong += CCM_unregist(args->net, kModule, args->function) != -EDEADLK;
	wrong += CCM_detach(args->net, kModule) != -EDEADLK;
	wrong += CCM_Close(args->net, args->node, 0) != -EDEADLK;
	wrong += CCM_Listen_to(args->net, args->node, 10) != -EDEADLK;
	service.said.store(wrong);
	service.ran.add(1);
	return wrong;
}

// The paper's way to answer: a message with the same sequence number.
int answers_by_message(ccm_args *args, u32 seqn)
{
	ccm_msg msg{.node = args->node,
		    .module = kModule,
		    .type = 50,
		    .seqn = seqn,
		    .size = 3,
		    .data = const_cast<char *>("yes")};

	return CCM_bsend(args->net, &msg, 0, kSoon);
}

// Calls back whoever calls, as deep as asked.
int nests(ccm_args *args, u32 depth)
{
	if (depth == 0)
		return 0;
	ccm_call call = to(args->node, args->function, kSoon, depth - 1);
	ccm_answer answer{};
	int error = ccm_rcall_wait(args->net, &call, &answer, nullptr, 0);
	int result = error ? error : answer.result + 1;

	CCM_answer_free(&answer);
	return result;
}

int echoes(ccm_args *args, u32)
{
	const void *data;
	size_t size;
	int error = CCM_get_bytes(args, &data, &size);

	if (error)
		return error;
	const ccm_arg back[] = {bytes(data, size), number(42)};
	return ccm_answer_with(args, back, 2);
}

// More than anybody accepts who has not asked for it.
int answers_too_much(ccm_args *args, u32)
{
	constexpr size_t kSize = CCM_SIZE_DEFAULT + 1;
	void *much = ccm_buffer_alloc(kSize, CCM_EFFORT_LONG);

	if (!much)
		return -ENOMEM;
	const ccm_arg back[] = {bytes(much, kSize)};
	int error = ccm_answer_with(args, back, 1);
	Service::of(args).ran.add(1);
	ccm_buffer_free(much, kSize);
	return error;
}

int unregisters_itself(ccm_args *args, u32)
{
	return CCM_unregist(args->net, args->module, args->function);
}

int detaches_itself(ccm_args *args, u32)
{
	return CCM_detach(args->net, args->module);
}

// Nodes 1 to count, connected, with the same handlers at each.
class Callable : public Cluster {
public:
	Callable(ccm_test *test_, u32 count)
		: Cluster(test_, count), test(test_)
	{
		attach_all();
		connect_all();
	}
	~Callable()
	{
		service.may_end.store(1);
	}
	void offer(u32 node, u32 function, ccm_handler_kind kind,
		   ccm_handler handler)
	{
		EXPECT_EQ(0, CCM_regist(net(node), kModule, function, kind,
					handler, &service));
	}

	ccm_test *test;
	Service service;
};

u32 receivers(u32 node)
{
	ccm_consumer_info info{};

	Cluster::consumer(node, kModule, &info);
	return info.receivers;
}

u32 calls_like(u32 node, ccm_call_what what)
{
	return Cluster::count_calls(node, what);
}

} // namespace

// --- one way ------------------------------------------------------------------------

CCM_TEST(call, short__runs_in_order_with_messages)
{
	Callable cluster(test, 2);
	const ccm_arg args[] = {number(5)};

	cluster.offer(2, 1, CCM_SHORT, adds);
	for (u32 i = 0; i < 100; i++)
		EXPECT_EQ(0, call_short(1, to(2, 1), args));
	EXPECT_EQ(0, send(1, 2, "after", 6));
	char got[6];
	EXPECT_EQ(6, receive(2, 1, got, sizeof(got)));
	EXPECT_EQ(100, cluster.service.ran.load());
	EXPECT_EQ(500, cluster.service.sum.load());
	EXPECT_EQ(100, cluster.peer(2, 1).stats.calls_in);
	EXPECT_EQ(100, cluster.peer(1, 2).stats.calls_out);
}

CCM_TEST(call, short__answered_by_a_message)
{
	Callable cluster(test, 2);
	char got[4] = {};

	cluster.offer(2, 1, CCM_SHORT, answers_by_message);
	ccm_call call = to(2, 1, kSoon, 77);
	EXPECT_EQ(0, ccm_rcall_short(cluster.net(1), &call, nullptr, 0));
	EXPECT_EQ(3, receive(1, 2, got, sizeof(got), 50, 77));
}

CCM_TEST(call, short__must_not_wait)
{
	Callable cluster(test, 2);
	int error;

	cluster.offer(2, 1, CCM_SHORT, tries_to_wait);
	EXPECT_EQ(0, result_of(1, to(2, 1), &error));
	EXPECT_EQ(0, error);
	EXPECT_EQ(1, cluster.service.ran.load());
}

CCM_TEST(call, long__runs_side_by_side)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};

	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	for (u32 i = 0; i < 5; i++)
		EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] { return cluster.service.running.load() == 5; }));
	EXPECT_EQ(5, calls_like(2, CCM_CALL_WHAT_LONG));
	// The listener is free meanwhile.
	EXPECT_EQ(0, send(1, 2, "x", 1));
	char got;
	EXPECT_EQ(1, receive(2, 1, &got, 1));
	cluster.service.may_end.store(1);
	EXPECT(eventually([&] { return cluster.service.ran.load() == 5; }));
}

CCM_TEST(call, long__no_more_than_the_bound_and_none_lost)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};
	constexpr u32 kMany = kWorkersMax + 20;

	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	for (u32 i = 0; i < kMany; i++)
		EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] {
		return calls_like(2, CCM_CALL_WHAT_QUEUED) ==
		       kMany - kWorkersMax;
	}));
	EXPECT_EQ(kWorkersMax, calls_like(2, CCM_CALL_WHAT_LONG));
	cluster.service.may_end.store(1);
	EXPECT(eventually([&] { return cluster.service.ran.load() == kMany; }));
	EXPECT_EQ(kWorkersMax, cluster.service.most.load());
}

CCM_TEST(call, long__a_short_handler_may_be_called_so)
{
	Callable cluster(test, 2);
	const ccm_arg args[] = {number(3)};

	cluster.offer(2, 1, CCM_SHORT, adds);
	EXPECT_EQ(0, call_long(1, to(2, 1), args));
	EXPECT(eventually([&] { return cluster.service.sum.load() == 3; }));
}

CCM_TEST(call, one_way__nobody_there_is_counted)
{
	Callable cluster(test, 2);
	const ccm_arg args[] = {number(3)};

	cluster.offer(2, 2, CCM_LONG, waits_until_told);
	EXPECT_EQ(0, call_short(1, to(2, 1), args));
	EXPECT_EQ(0, call_short(1, to(2, 2), args)); // a long one
	EXPECT(eventually(
		[&] { return cluster.peer(2, 1).stats.calls_refused == 2; }));
	EXPECT_EQ(0, cluster.service.running.load());
}

// --- with an answer -------------------------------------------------------------------

CCM_TEST(call, wait__gets_the_result)
{
	Callable cluster(test, 2);
	const ccm_arg args[] = {number(41)};
	ccm_answer answer;
	ccm_call call = to(2, 1);

	cluster.offer(2, 1, CCM_SHORT, adds);
	cluster.offer(2, 2, CCM_LONG, adds);
	for (u32 function = 1; function <= 2; function++) {
		call.function = function;
		REQUIRE_EQ(0, ccm_rcall_wait(cluster.net(1), &call, &answer,
					     args, 1));
		EXPECT_EQ(42, answer.result);
		EXPECT_EQ(0, CCM_get_end(&answer.args));
		CCM_answer_free(&answer);
		CCM_answer_free(&answer);
	}
	EXPECT_EQ(0, calls_like(1, CCM_CALL_WHAT_AWAITED));
}

CCM_TEST(call, wait__itself)
{
	Callable cluster(test, 1);
	const ccm_arg args[] = {number(1)};
	ccm_answer answer;
	ccm_call call = to(1, 1);

	cluster.offer(1, 1, CCM_SHORT, adds);
	cluster.offer(1, 2, CCM_LONG, adds);
	for (u32 function = 1; function <= 2; function++) {
		call.function = function;
		REQUIRE_EQ(0, ccm_rcall_wait(cluster.net(1), &call, &answer,
					     args, 1));
		EXPECT_EQ(2, answer.result);
		CCM_answer_free(&answer);
	}
}

CCM_TEST(call, wait__answer_too_large)
{
	Callable cluster(test, 2);
	int error = 0;

	cluster.offer(2, 1, CCM_LONG, answers_too_much);
	EXPECT_EQ(0, result_of(1, to(2, 1), &error));
	EXPECT_EQ(-EOVERFLOW, error);
	EXPECT_EQ(1, cluster.service.ran.load());
	EXPECT(eventually([&] { return cluster.peer(2, 1).queued_in == 0; }));
}

CCM_TEST(call, wait__answer_with_arguments)
{
	static u8 large[200000];
	Callable cluster(test, 2);
	const size_t sizes[] = {0, 1, 3000, sizeof(large)};

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = static_cast<u8>(i * 7);
	cluster.offer(2, 1, CCM_LONG, echoes);
	for (size_t size : sizes) {
		const ccm_arg args[] = {bytes(large, size)};
		const void *data = nullptr;
		size_t got = 1;
		u32 last = 0;
		ccm_answer answer;
		ccm_call call = to(2, 1);

		REQUIRE_EQ(0, ccm_rcall_wait(cluster.net(1), &call, &answer,
					     args, 1));
		EXPECT_EQ(0, answer.result);
		EXPECT_EQ(0, CCM_get_bytes(&answer.args, &data, &got));
		EXPECT_EQ(size, got);
		EXPECT_EQ(0, __builtin_memcmp(data, large, size));
		EXPECT_EQ(0, CCM_get_u32(&answer.args, &last));
		EXPECT_EQ(42, last);
		CCM_answer_free(&answer);
	}
}

CCM_TEST(call, wait__errors_are_told_apart)
{
	Callable cluster(test, 2);
	int error;

	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	(void)result_of(1, to(2, 9), &error);
	EXPECT_EQ(-EOPNOTSUPP, error);
	(void)result_of(1, to(2, 1, 100), &error);
	EXPECT_EQ(-ETIMEDOUT, error);
	(void)result_of(1, to(9, 1), &error);
	EXPECT_EQ(-ENODEV, error);
	cluster.service.may_end.store(1);
	EXPECT_EQ(7, result_of(1, to(2, 1), &error));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	(void)result_of(1, to(2, 1), &error);
	EXPECT_EQ(-EHOSTDOWN, error);
}

CCM_TEST(call, wait__lost_with_the_connection)
{
	Callable cluster(test, 2);
	int error = 0;
	auto body = [&] {
		(void)result_of(1, to(2, 1), &error);
	};

	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	Thread caller(body);
	EXPECT(eventually([&] { return cluster.service.running.load() == 1; }));
	EXPECT_EQ(1, calls_like(1, CCM_CALL_WHAT_AWAITED));
	EXPECT_EQ(0, CCM_Close(cluster.net(2), 1, kSoon));
	EXPECT(eventually([&] { return error != 0; }));
	caller.join();
	EXPECT_EQ(-ECONNABORTED, error);
}

// The call has been sent, so no system call may be begun anew by it; if it waits for
// room, it may.
CCM_TEST(call, wait__ends_by_a_signal)
{
	const ccm_limits small{.max_size = 200, .window = 512};
	Cluster cluster(test, 2);
	Service service;
	Atomic<void *> thread;
	Atomic<int> error{1};
	const ccm_arg none[] = {number(0)};
	auto body = [&] {
		int failed;

		thread.store(ccm_test_me());
		(void)result_of(1, to(2, 1, CCM_FOREVER), &failed);
		error.store(failed);
	};

	cluster.attach_all(&small);
	cluster.connect_all();
	EXPECT_EQ(0, CCM_regist(cluster.net(2), kModule, 1, CCM_LONG,
				waits_until_told, &service));
	{
		Thread caller(body);

		EXPECT(eventually([&] { return service.running.load() == 1; }));
		ccm_test_signal(thread.load());
		EXPECT(eventually([&] { return error.load() != 1; }));
	}
	EXPECT_EQ(-EINTR, error.load());
	EXPECT_EQ(0, call_long(1, to(2, 1), none)); // and the window is full
	error.store(1);
	{
		Thread caller(body);

		EXPECT(eventually(
			[&] { return cluster.peer(1, 2).stats.waits == 1; }));
		ccm_test_signal(thread.load());
		EXPECT(eventually([&] { return error.load() != 1; }));
	}
	EXPECT_EQ(-ERESTARTSYS, error.load());
	service.may_end.store(1);
	EXPECT(eventually([&] { return service.ran.load() == 2; }));
}

CCM_TEST(call, wait__nested_both_ways)
{
	Callable cluster(test, 2);
	int error;

	cluster.offer(1, 1, CCM_LONG, nests);
	cluster.offer(2, 1, CCM_LONG, nests);
	EXPECT_EQ(10, result_of(1, to(2, 1, kSoon, 10), &error));
	EXPECT_EQ(0, error);
}

CCM_TEST(call, wait__many_at_once)
{
	Callable cluster(test, 2);
	Atomic<u32> wrong, done;
	auto body = [&] {
		for (u32 i = 0; i < 100; i++) {
			const ccm_arg args[] = {number(i)};
			ccm_answer answer{};
			ccm_call call = to(2, 1 + i % 2);

			if (ccm_rcall_wait(cluster.net(1), &call, &answer, args,
					   1) ||
			    answer.result != static_cast<int>(i) + 1)
				wrong.add(1);
			CCM_answer_free(&answer);
			done.add(1);
		}
	};

	cluster.offer(2, 1, CCM_SHORT, adds);
	cluster.offer(2, 2, CCM_LONG, adds);
	{
		Thread a(body), b(body), c(body), d(body);

		EXPECT(eventually([&] { return done.load() == 400; }));
	}
	EXPECT_EQ(0, wrong.load());
}

// --- asynchronous -----------------------------------------------------------------------

namespace {

struct Heard {
	Atomic<u32> count;
	Atomic<int> error{1}, result{0};

	static void done(void *context, int error, ccm_answer *answer)
	{
		Heard &heard = *static_cast<Heard *>(context);

		heard.error.store(error);
		heard.result.store(error ? 0 : answer->result);
		heard.count.add(1);
	}
};

} // namespace

CCM_TEST(call, async__is_told_once)
{
	Callable cluster(test, 2);
	Heard answered, late, nobody, lost, detached;
	const ccm_arg args[] = {number(1)};
	ccm_call call = to(2, 1);
	auto begin = [&](Heard &heard) {
		return ccm_rcall_begin(cluster.net(1), &call, Heard::done,
				       &heard, args, 1);
	};
	auto told = [&](Heard &heard) {
		return eventually([&] { return heard.count.load() == 1; });
	};

	cluster.offer(2, 1, CCM_SHORT, adds);
	cluster.offer(2, 2, CCM_LONG, waits_until_told);
	EXPECT_EQ(0, begin(answered));
	EXPECT(told(answered));
	EXPECT_EQ(0, answered.error.load());
	EXPECT_EQ(2, answered.result.load());
	call.function = 9;
	EXPECT_EQ(0, begin(nobody));
	EXPECT(told(nobody));
	EXPECT_EQ(-EOPNOTSUPP, nobody.error.load());
	call.function = 2;
	call.timeout_ms = 100;
	EXPECT_EQ(0, begin(late));
	EXPECT(told(late));
	EXPECT_EQ(-ETIMEDOUT, late.error.load());
	call.timeout_ms = CCM_FOREVER;
	EXPECT_EQ(0, begin(lost));
	EXPECT_EQ(0, CCM_Close(cluster.net(1), 2, kSoon));
	EXPECT(told(lost));
	EXPECT_EQ(-ECONNABORTED, lost.error.load());
	EXPECT_EQ(-EHOSTDOWN, begin(lost));
	EXPECT(eventually([&] { return cluster.is(2, 1, CCM_STATE_DOWN); }));
	cluster.connect(1, 2);
	EXPECT_EQ(0, begin(detached));
	EXPECT_EQ(0, CCM_detach(cluster.net(1), kModule));
	EXPECT_EQ(1, detached.count.load());
	EXPECT_EQ(-ECANCELED, detached.error.load());
	EXPECT_EQ(-ENOENT, begin(detached));
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(1), kModule, nullptr, nullptr));
}

// --- memory ------------------------------------------------------------------------------

namespace {

// Who ran, and how many of them might have waited for I/O.
struct Avoiding {
	Atomic<u32> ran, may_wait;

	void note()
	{
		if (!ccm_test_avoids_io())
			may_wait.add(1);
		ran.add(1);
	}
	bool had(u32 times)
	{
		return eventually([&] { return ran.load() == times; }) &&
		       may_wait.load() == 0;
	}
	static int handle(ccm_args *args, u32)
	{
		static_cast<Avoiding *>(args->context)->note();
		return 0;
	}
	static void done(void *context, int, ccm_answer *)
	{
		static_cast<Avoiding *>(context)->note();
	}
};

} // namespace

// Else a consumer that carries I/O waits for itself.
CCM_TEST(call, memory__waits_for_no_io_in_what_a_consumer_gives)
{
	Callable cluster(test, 2);
	Avoiding short_one, long_one, answered, cancelled;
	const ccm_arg none[] = {number(0)};
	ccm_call call = to(2, 1);
	auto begin = [&](Avoiding &avoiding) {
		return ccm_rcall_begin(cluster.net(1), &call, Avoiding::done,
				       &avoiding, none, 1);
	};

	EXPECT_EQ(0, CCM_regist(cluster.net(2), kModule, 1, CCM_SHORT,
				Avoiding::handle, &short_one));
	EXPECT_EQ(0, CCM_regist(cluster.net(2), kModule, 2, CCM_LONG,
				Avoiding::handle, &long_one));
	cluster.offer(2, 3, CCM_LONG, waits_until_told);
	EXPECT_EQ(0, call_short(1, call, none));
	EXPECT(short_one.had(1));
	EXPECT_EQ(0, call_long(1, to(2, 2), none));
	EXPECT(long_one.had(1));
	EXPECT_EQ(0, begin(answered));
	EXPECT(answered.had(1));
	// Whoever detaches tells, in their own thread.
	call.function = 3;
	EXPECT_EQ(0, begin(cancelled));
	EXPECT_EQ(0, CCM_detach(cluster.net(1), kModule));
	EXPECT(cancelled.had(1));
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(1), kModule, nullptr, nullptr));
}

// No connection ends there whose listener could tell.
CCM_TEST(call, memory__waits_for_no_io_as_a_node_is_deleted)
{
	Callable cluster(test, 1);
	Avoiding lost;
	const ccm_arg none[] = {number(0)};
	ccm_call call = to(1, 3);

	cluster.offer(1, 3, CCM_LONG, waits_until_told);
	EXPECT_EQ(0, ccm_rcall_begin(cluster.net(1), &call, Avoiding::done,
				     &lost, none, 1));
	EXPECT_EQ(0, cluster.delete_node(1));
	EXPECT(lost.had(1));
	EXPECT_EQ(0, cluster.set_node(1));
}

CCM_TEST(call, memory__waits_afterwards_as_before)
{
	Callable cluster(test, 2);
	ccm_answer answer{};
	auto calls = [&] {
		char got;

		EXPECT_EQ(0, send(1, 2, "x", 1));
		EXPECT_EQ(1, receive(2, 1, &got, 1));
		EXPECT_EQ(0, call_wait(1, to(2, 1), answer));
		CCM_answer_free(&answer);
	};

	cluster.offer(2, 1, CCM_SHORT, echoes);
	calls();
	EXPECT(!ccm_test_avoids_io());
	unsigned int before = ccm_test_avoid_io();
	calls();
	EXPECT(ccm_test_avoids_io());
	ccm_test_avoid_io_end(before);
	EXPECT(!ccm_test_avoids_io());
}

// --- registering --------------------------------------------------------------------------

CCM_TEST(call, regist__bad_arguments)
{
	Callable cluster(test, 1);
	struct net *net = cluster.net(1);

	EXPECT_EQ(-EINVAL,
		  CCM_regist(nullptr, kModule, 1, CCM_SHORT, adds, nullptr));
	EXPECT_EQ(-EINVAL, CCM_regist(net, 0, 1, CCM_SHORT, adds, nullptr));
	EXPECT_EQ(-EINVAL,
		  CCM_regist(net, kModule, 1, CCM_SHORT, nullptr, nullptr));
	EXPECT_EQ(-EINVAL,
		  CCM_regist(net, kModule, 1, static_cast<ccm_handler_kind>(3),
			     adds, nullptr));
	EXPECT_EQ(-ENOENT,
		  CCM_regist(net, kModule + 1, 1, CCM_SHORT, adds, nullptr));
	EXPECT_EQ(0, CCM_regist(net, kModule, 1, CCM_SHORT, adds, nullptr));
	EXPECT_EQ(-EEXIST,
		  CCM_regist(net, kModule, 1, CCM_LONG, adds, nullptr));
	EXPECT_EQ(0, CCM_unregist(net, kModule, 1));
	EXPECT_EQ(-ENOENT, CCM_unregist(net, kModule, 1));
	EXPECT_EQ(-EINVAL, CCM_unregist(net, 0, 1));
}

CCM_TEST(call, unregist__waits_for_who_runs)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};
	Atomic<u32> gone;
	auto body = [&] {
		EXPECT_EQ(0, CCM_unregist(cluster.net(2), kModule, 1));
		gone.store(1);
	};

	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] { return cluster.service.running.load() == 1; }));
	Thread remover(body);
	ccm_test_sleep(100);
	EXPECT_EQ(0, gone.load());
	int error;
	(void)result_of(1, to(2, 1), &error);
	EXPECT_EQ(-EOPNOTSUPP, error);
	cluster.service.may_end.store(1);
	EXPECT(eventually([&] { return gone.load() == 1; }));
	EXPECT_EQ(1, cluster.service.ran.load());
}

CCM_TEST(call, unregist__cancels_what_waits_inside)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};

	cluster.offer(2, 1, CCM_LONG, receives);
	EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] { return cluster.service.running.load() == 1; }));
	ccm_test_sleep(50);
	EXPECT_EQ(0, CCM_unregist(cluster.net(2), kModule, 1));
	EXPECT_EQ(-ECANCELED, cluster.service.said.load());
}

CCM_TEST(call, unregist__from_itself)
{
	Callable cluster(test, 2);

	cluster.offer(2, 1, CCM_LONG, unregisters_itself);
	EXPECT_EQ(-EDEADLK, result_of(1, to(2, 1)));
}

CCM_TEST(call, detach__from_a_handler_of_its_own)
{
	Callable cluster(test, 2);

	cluster.offer(2, 1, CCM_LONG, detaches_itself);
	EXPECT_EQ(-EDEADLK, result_of(1, to(2, 1)));
}

CCM_TEST(call, unregist__against_a_burst)
{
	Callable cluster(test, 2);
	Atomic<bool> enough{false};
	auto burst = [&] {
		const ccm_arg args[] = {number(1)};

		while (!enough.load()) {
			(void)call_short(1, to(2, 1, 100), args);
			(void)call_long(1, to(2, 1, 100), args);
			ccm_yield();
		}
	};

	Thread caller(burst);
	for (u32 round = 0; round < 50; round++) {
		cluster.offer(2, 1, CCM_SHORT, adds);
		ccm_test_sleep(5);
		EXPECT_EQ(0, CCM_unregist(cluster.net(2), kModule, 1));
		u32 ran = cluster.service.ran.load();
		ccm_test_sleep(2);
		EXPECT_EQ(ran, cluster.service.ran.load());
	}
	enough.store(true);
	caller.join();
	EXPECT(cluster.service.ran.load() > 50);
}

CCM_TEST(call, detach__ends_handlers_and_callers)
{
	Callable cluster(test, 2);
	int error = 0;
	Atomic<bool> ended{false};
	const ccm_arg none[] = {number(0)};
	auto body = [&] {
		(void)result_of(1, to(2, 1, CCM_FOREVER), &error);
		ended.store(true);
	};

	cluster.offer(2, 1, CCM_LONG, receives);
	EXPECT_EQ(0, call_long(1, to(2, 1), none));
	Thread caller(body);
	EXPECT(eventually([&] { return cluster.service.running.load() == 2; }));
	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule));
	EXPECT_EQ(2, cluster.service.ran.load());
	EXPECT(eventually([&] { return ended.load(); }));
	caller.join();
	EXPECT_EQ(0, error); // it ran, with an error as its result
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(2), kModule, nullptr, nullptr));
	// And the same at the caller's end.
	cluster.service.ran.store(0);
	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	error = 0;
	Thread second(body);
	EXPECT(eventually([&] { return cluster.service.running.load() == 1; }));
	EXPECT_EQ(0, CCM_detach(cluster.net(1), kModule));
	EXPECT(eventually([&] { return error != 0; }));
	second.join();
	EXPECT_EQ(-ECANCELED, error);
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(1), kModule, nullptr, nullptr));
}

// --- the module they belong to --------------------------------------------------------------

CCM_TEST(call, owner__is_not_held_while_a_handler_runs)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};
	int received = 0;
	auto body = [&] {
		char byte;
		received = receive(2, 1, &byte, 1, 99);
	};

	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule));
	EXPECT_EQ(0, ccm_attach_owner(cluster.net(2), kModule, nullptr,
				      ccm_test_module()));
	cluster.offer(2, 1, CCM_LONG, waits_until_told);
	int before = ccm_test_module_users();
	Thread receiver(body);
	EXPECT(eventually([&] { return receivers(2) == 1; }));
	EXPECT_EQ(before, ccm_test_module_users());
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] { return cluster.service.running.load() == 3; }));
	EXPECT_EQ(before, ccm_test_module_users());
	cluster.service.may_end.store(1);
	EXPECT_EQ(0, send(1, 2, "x", 1, 99));
	EXPECT(eventually([&] { return received == 1; }));
}

CCM_TEST(call, forget__drops_what_a_module_left)
{
	Callable cluster(test, 2);
	int received = 0, error;
	auto body = [&] {
		char byte;
		received = receive(2, 1, &byte, 1, 99);
	};

	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule));
	EXPECT_EQ(0, ccm_attach_owner(cluster.net(2), kModule, nullptr,
				      ccm_test_module()));
	cluster.offer(2, 1, CCM_SHORT, adds);
	Thread receiver(body);
	EXPECT(eventually([&] { return receivers(2) == 1; }));
	EXPECT_EQ(0, cluster.forget(1, ccm_test_module()));
	EXPECT_EQ(1, cluster.forget(2, ccm_test_module()));
	receiver.join();
	EXPECT_EQ(-ESHUTDOWN, received);
	(void)result_of(1, to(2, 1), &error);
	EXPECT_EQ(-EOPNOTSUPP, error);
	EXPECT_EQ(0, cluster.service.ran.load());
	EXPECT_EQ(0, cluster.forget(2, ccm_test_module()));
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(2), kModule, nullptr, nullptr));
}

CCM_TEST(call, forget__ends_what_runs)
{
	Callable cluster(test, 2);
	const ccm_arg none[] = {number(0)};

	EXPECT_EQ(0, CCM_detach(cluster.net(2), kModule));
	EXPECT_EQ(0, ccm_attach_owner(cluster.net(2), kModule, nullptr,
				      ccm_test_module()));
	cluster.offer(2, 1, CCM_LONG, receives);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, call_long(1, to(2, 1), none));
	EXPECT(eventually([&] { return cluster.service.running.load() == 3; }));
	EXPECT_EQ(1, cluster.forget(2, ccm_test_module()));
	EXPECT_EQ(0, cluster.service.running.load());
	EXPECT_EQ(3, cluster.service.ran.load());
	EXPECT_EQ(0,
		  ccm_attach_owner(cluster.net(2), kModule, nullptr, nullptr));
}

// --- memory ---------------------------------------------------------------------------------

CCM_TEST(call, memory__failures_leak_nothing)
{
	{
		Callable once(test, 2);
	}
	long before = ccm_memory_count();
	{
		Callable cluster(test, 2);
		const ccm_arg args[] = {number(1)};
		int error;

		cluster.offer(2, 1, CCM_SHORT, adds);
		cluster.offer(2, 2, CCM_LONG, adds);
		for (int nth = 1; nth <= 10; nth++) {
			for (u32 function = 1; function <= 2; function++) {
				ccm_answer answer{};
				ccm_call call = to(2, function, 300);

				ccm_memory_fail(nth);
				error = ccm_rcall_wait(cluster.net(1), &call,
						       &answer, args, 1);
				ccm_memory_fail(0);
				EXPECT(error == 0 || error == -ENOMEM ||
				       error == -ETIMEDOUT || error == -EACCES);
				CCM_answer_free(&answer);
			}
		}
		EXPECT(cluster.is(1, 2, CCM_STATE_UP));
	}
	EXPECT(eventually(
		[&] { return ccm_memory_count() <= before + 2 * 2 * 32; }));
}
