// SPDX-License-Identifier: GPL-2.0
// Events have the order of what happened, whoever tells them: what else happens as
// one is told is told behind it.
#include "background.hpp"
#include "host.hpp"
#include "played.hpp"
#include "test.hpp"

#include <atomic>
#include <memory>

using namespace ccm_testing;

namespace {

constexpr u32 kMomentMs = 100;

// As the first event of a kind is told, something else happens, in a thread of its
// own. It has a moment to be told before.
class Meanwhile {
public:
	Meanwhile(net &network, std::function<bool(const ccm_event &)> is_it,
		  std::function<void()> what)
		: network_(network), is_it_(std::move(is_it)),
		  what_(std::move(what))
	{
		network_.watch_reports([this](const ccm_event &event) {
			if (is_it_(event) && !came_.exchange(true))
				come();
		});
	}
	~Meanwhile()
	{
		network_.watch_reports(nullptr);
		other_.reset();
	}
	Meanwhile(const Meanwhile &) = delete;
	Meanwhile &operator=(const Meanwhile &) = delete;

	bool came() const
	{
		return came_;
	}

private:
	void come()
	{
		size_t told = network_.told().size();

		other_ = std::make_unique<Background<std::function<void()>>>(
			what_);
		for (u32 ms = 0; ms < kMomentMs; ms++) {
			if (network_.told().size() > told)
				return;
			ccm_test_sleep(1);
		}
	}

	net &network_;
	const std::function<bool(const ccm_event &)> is_it_;
	const std::function<void()> what_;
	std::atomic<bool> came_{false};
	std::unique_ptr<Background<std::function<void()>>> other_;
};

auto is(ccm_event_kind kind)
{
	return [kind](const ccm_event &event) {
		return event.kind == kind;
	};
}

bool is_down(const ccm_event &event)
{
	return event.kind == CCM_EVENT_KIND_STATE &&
	       event.state == CCM_STATE_DOWN;
}

// Where the first event of which this holds is; the number of all if there is none.
template <class F> size_t place_of(net &network, F is_it)
{
	std::vector<ccm_event> told = network.told();
	size_t at = 0;

	while (at < told.size() && !is_it(told[at]))
		at++;
	return at;
}

// That both were told, in this order, and each but once.
template <class F, class G> bool in_order(net &network, F is_first, G is_second)
{
	size_t first = place_of(network, is_first);
	size_t second = place_of(network, is_second);
	size_t of_first = 0, of_second = 0;

	for (const ccm_event &event : network.told()) {
		of_first += is_first(event);
		of_second += is_second(event);
	}
	return of_first == 1 && of_second == 1 && first < second;
}

bool never_goes_back(net &network)
{
	u64 newest = 0;

	for (const ccm_event &event : network.told()) {
		if (event.generation < newest)
			return false;
		newest = event.generation;
	}
	return true;
}

bool deletes_peer(Played &play)
{
	return ccm_core_peer_delete(play.node, play.they, nullptr) == 0;
}

bool is_number(const ccm_event &event)
{
	return event.kind == CCM_EVENT_KIND_NODE && event.node != 0;
}

bool is_no_number(const ccm_event &event)
{
	return event.kind == CCM_EVENT_KIND_NODE && event.node == 0;
}

// An asynchronous call to the peer, whose caller takes his time as he hears of its
// end: until a peer is gone, or a moment. The listener tells him as the connection
// ends, and then administrators.
class Slow {
public:
	explicit Slow(Played &play) : play_(play)
	{
	}
	bool begins()
	{
		ccm_call call{.node = play_.they,
			      .module = kModule,
			      .function = 1,
			      .seqn = 0,
			      .flags = 0,
			      .timeout_ms = CCM_FOREVER};

		return ccm_core_rcall_begin(play_.node, &call, hears, this,
					    nullptr, 0) == 0;
	}
	bool heard() const
	{
		return eventually([this] { return heard_.load(); });
	}

private:
	static void hears(void *slow, int, ccm_answer *)
	{
		auto *me = static_cast<Slow *>(slow);
		net &network = me->play_.network;

		me->heard_ = true;
		for (u32 ms = 0; ms < kMomentMs; ms++) {
			if (!network.told(CCM_EVENT_KIND_PEER_DELETE).empty())
				return;
			ccm_test_sleep(1);
		}
	}

	Played &play_;
	std::atomic<bool> heard_{false};
};

std::atomic<bool> held;
std::atomic<bool> let_go;

int hold(ccm_args *, u32)
{
	held = true;
	(void)eventually([] { return let_go.load(); });
	return 0;
}

constexpr u32 kOther = 9;

bool adds_another(Played &play)
{
	ccm_peer_config other{.number = kOther,
			      .remote = Played::address_of(kOther)};

	return ccm_core_peer_add(play.node, &other, nullptr) == 0;
}

} // namespace

CCM_TEST(order, node__is_told_before_it_is_deleted)
{
	Played play;
	bool deleted = false;
	{
		Meanwhile at(play.network, is_number, [&] {
			deleted = ccm_core_node_delete(play.node, nullptr) == 0;
		});

		REQUIRE(play.set_node());
		REQUIRE(at.came());
	}
	REQUIRE(deleted && play.network.goes());
	EXPECT(in_order(play.network, is_number, is_no_number));
	EXPECT(never_goes_back(play.network));
}

CCM_TEST(order, peer__is_told_before_it_is_deleted)
{
	Played play;
	bool deleted = false;

	REQUIRE(play.set_node());
	{
		Meanwhile at(play.network, is(CCM_EVENT_KIND_PEER_ADD),
			     [&] { deleted = deletes_peer(play); });

		REQUIRE(play.add_peer());
		REQUIRE(at.came());
	}
	REQUIRE(deleted && play.network.goes());
	EXPECT(in_order(play.network, is(CCM_EVENT_KIND_PEER_ADD),
			is(CCM_EVENT_KIND_PEER_DELETE)));
	EXPECT(never_goes_back(play.network));
}

CCM_TEST(order, key__is_told_before_it_goes_with_its_node)
{
	Played play;
	bool deleted = false;

	REQUIRE(play.set_node());
	{
		Meanwhile at(
			play.network,
			[n = 0](const ccm_event &event) mutable {
				return event.kind == CCM_EVENT_KIND_KEY &&
				       n++ == 0;
			},
			[&] {
				deleted = ccm_core_node_delete(play.node,
							       nullptr) == 0;
			});

		REQUIRE_EQ(0, ccm_core_key_set(play.node, kSecret,
					       sizeof(kSecret), nullptr));
		REQUIRE(at.came());
	}
	REQUIRE(deleted && play.network.goes());
	EXPECT(is_no_number(play.network.told().back()));
}

// The listener has ended its connection, and not told so yet.
CCM_TEST(order, peer__is_down_before_it_is_deleted)
{
	Played play;
	Slow slow(play);

	REQUIRE(play.begin() && play.attach() && play.up() && slow.begins());
	REQUIRE(deletes_peer(play) && play.network.goes());
	EXPECT(in_order(play.network, is_down, is(CCM_EVENT_KIND_PEER_DELETE)));
	EXPECT(never_goes_back(play.network));
}

// Another goes at that time, and the node looks for all that can.
CCM_TEST(order, peer__is_down_before_it_is_deleted_with_another)
{
	Played play;
	Slow slow(play);
	auto goes = [&](const ccm_event &event) {
		return event.kind == CCM_EVENT_KIND_PEER_DELETE &&
		       event.node == play.they;
	};

	REQUIRE(play.begin() && play.attach() && play.up() && slow.begins() &&
		adds_another(play));
	REQUIRE(deletes_peer(play) && slow.heard());
	REQUIRE_EQ(0, ccm_core_peer_delete(play.node, kOther, nullptr));
	REQUIRE(play.network.goes() && play.network.goes());
	EXPECT(in_order(play.network, is_down, goes));
}

// There is no connection yet: the listener comes to both requests at once.
CCM_TEST(order, connecting__is_down_before_it_is_deleted)
{
	Played play;

	held = let_go = false;
	REQUIRE(play.begin() && play.attach() && play.up() &&
		adds_another(play));
	REQUIRE_EQ(0, ccm_core_regist(play.node, kModule, 1, CCM_SHORT, hold,
				      nullptr));
	play.wire->deliver(play.call(1, 0, 0));
	REQUIRE(eventually([] { return held.load(); }));
	Meanwhile at(play.network, is_down, [] {});
	EXPECT_EQ(0, ccm_core_connect(play.node, kOther, 0, nullptr));
	EXPECT_EQ(0, ccm_core_peer_delete(play.node, kOther, nullptr));
	let_go = true;
	REQUIRE(play.network.goes());
	EXPECT(in_order(play.network, is_down, is(CCM_EVENT_KIND_PEER_DELETE)));
}

// What was withheld of a peer is being told as that is deleted.
CCM_TEST(order, withheld__is_told_before_its_peer_is_deleted)
{
	host::StoppedClock clock;
	Played play;
	bool deleted = false;

	REQUIRE(play.begin() && play.attach());
	for (u32 round = 0; round < 20; round++) {
		REQUIRE(play.up());
		play.wire->fail(ECONNRESET);
		REQUIRE(play.goes_down(CCM_REASON_BROKEN, ECONNRESET));
	}
	REQUIRE(clock.rests());
	{
		Meanwhile at(
			play.network,
			[](const ccm_event &event) { return event.left_out; },
			[&] { deleted = deletes_peer(play); });

		clock.advance(1000);
		REQUIRE(play.network.goes());
		REQUIRE(at.came() && deleted);
	}
	EXPECT(play.network.told().back().kind == CCM_EVENT_KIND_PEER_DELETE);
	EXPECT(never_goes_back(play.network));
}

// It asks to be connected to as it is being added.
CCM_TEST(order, poke__is_told_behind_its_peer)
{
	Played play;
	ccm_testing::Wire *poke = nullptr;

	REQUIRE(play.set_node());
	{
		Meanwhile at(play.network, is(CCM_EVENT_KIND_PEER_ADD), [&] {
			poke = play.network.arrive(
				Played::address_of(play.they));
			(void)poke->is_taken();
			poke->deliver(play.hello(ccm::wire::kKeyed,
						 ccm::wire::kPoke));
		});

		REQUIRE(play.add_peer());
		REQUIRE(at.came());
	}
	REQUIRE(poke->closes());
	EXPECT(place_of(play.network, is(CCM_EVENT_KIND_PEER_ADD)) <
	       place_of(play.network, is(CCM_EVENT_KIND_POKE)));
}
