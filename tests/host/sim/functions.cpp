// SPDX-License-Identifier: GPL-2.0
// The functions that the nodes call. What they do besides, the call's number
// decides.
#include "sim/call.hpp"
#include "test.hpp"

#include <cerrno>

namespace ccm_testing {

namespace {

constexpr u32 kTypeOfNobody = 0x80000000;

// A call while it runs here.
class Run {
public:
	Run(ccm_args &args, Function function)
		: me(*static_cast<Member *>(args.context)),
		  question(Question::read(args)), random(question.id),
		  running_(me.running[function])
	{
		running_++;
		me.ledger.calls.run(question.id);
	}
	~Run()
	{
		running_--;
	}

	Member &me;
	const Question question;
	Random random;

private:
	std::atomic<u32> &running_;
};

// What would wait for what waits for it must say so at once.
void expect_deadlock(const char *what, int error)
{
	if (error != -EDEADLK)
		fault("%s in a handler is %d", what, error);
}

void act_in_listener(Member &me, Random &random)
{
	const u32 target = random.below(me.ledger.nodes);

	switch (random.below(20)) {
	case 0:
		call_async(me, target, random.below(kFunctions), random, 50,
			   random.below(2));
		break;
	case 1:
		(void)call_one_way(me, target, kShort, random, false,
				   random.below(2), 0, 0);
		break;
	case 2:
		expect_deadlock("attaching", ccm_core_attach(me.node(), 100,
							     nullptr, nullptr));
		break;
	case 3:
		expect_deadlock("detaching",
				ccm_core_detach(me.node(), kModules[0]));
		break;
	case 4:
		expect_deadlock("unregistering",
				ccm_core_unregist(me.node(),
						  kModules[kCallModule],
						  kLong));
		break;
	case 5:
		expect_deadlock("closing", ccm_core_close(me.node(), target + 1,
							  0, nullptr));
		break;
	default:
		break;
	}
}

int run_short(ccm_args *args, u32)
{
	Run run(*args, kShort);
	const Question &q = run.question;

	if (q.number)
		run.me.ledger.shorts[q.source][q.thread][run.me.at].run(
			q.number);
	if (!ccm_thread_may_wait())
		act_in_listener(run.me, run.random);
	return answer(*args, q);
}

int run_long(ccm_args *args, u32)
{
	Run run(*args, kLong);

	if (run.random.below(4) == 0)
		ccm_test_sleep(run.random.below(10));
	return answer(*args, run.question);
}

// Ends by its time-out, or when it is unregistered.
int run_waiting(ccm_args *args, u32)
{
	Run run(*args, kWaits);
	ccm_msg msg{.node = CCM_ANY_NODE,
		    .module = kModules[run.random.below(kMessageModules)],
		    .type = kTypeOfNobody,
		    .seqn = 0,
		    .size = 0,
		    .data = nullptr};

	int error = ccm_core_receive(run.me.node(), &msg, 0,
				     static_cast<int>(run.random.below(40)));
	if (error >= 0)
		fault("a message came that nobody has sent");
	return answer(*args, run.question);
}

int run_nested(ccm_args *args, u32)
{
	Run run(*args, kNested);
	int timeout_ms = static_cast<int>(run.random.below(100));
	u32 function = run.random.below(2) ? kShort : kLong;

	if (run.random.below(2))
		call_and_wait(run.me, run.random.below(run.me.ledger.nodes),
			      function, run.random, timeout_ms);
	else
		call_async(run.me, run.random.below(run.me.ledger.nodes),
			   function, run.random, timeout_ms, false);
	return answer(*args, run.question);
}

// Two that remove each other, and themselves now and then. They may meet: then one of
// them is told so, and nobody waits for ever.
int remove(ccm_args *args, Function mine, Function other)
{
	Run run(*args, mine);

	if (run.me.quiet)
		return answer(*args, run.question);
	if (run.random.below(8) == 0)
		expect_deadlock("removing itself",
				ccm_core_unregist(run.me.node(),
						  kModules[kCallModule], mine));
	if (run.random.below(8) == 0)
		expect_deadlock(
			"detaching its own number",
			ccm_core_detach(run.me.node(), kModules[kCallModule]));
	if (run.random.below(2))
		ccm_test_sleep(run.random.below(10));
	int error = run.me.unregist(other);
	if (error < 0 && error != -ENOENT && error != -EDEADLK)
		fault("in a handler, unregistering is %d", error);
	run.me.regist(other);
	return answer(*args, run.question);
}

int run_removes(ccm_args *args, u32)
{
	return remove(args, kRemoves, kRemovesBack);
}

int run_removes_back(ccm_args *args, u32)
{
	return remove(args, kRemovesBack, kRemoves);
}

} // namespace

const Offered kOffered[kFunctions] = {
	{CCM_SHORT, run_short},	 {CCM_LONG, run_long},
	{CCM_LONG, run_waiting}, {CCM_LONG, run_nested},
	{CCM_LONG, run_removes}, {CCM_LONG, run_removes_back},
};

} // namespace ccm_testing
