// SPDX-License-Identifier: GPL-2.0
#include "cluster.hpp"

#include "core/node.hpp"
#include "prover.hpp"

extern "C" ccm_node *ccm_netns_node(struct net *net);

namespace ccm_testing {

namespace {

// The namespace's node, for one administrator's call.
template <class F> auto with(struct net *net, F call)
{
	ccm_node *node = ccm_netns_node(net);
	auto result = call(node);

	ccm_core_put(node);
	return result;
}

} // namespace

Cluster::Cluster(ccm_test *test_, u32 count, u8 family)
	: test(test_), count_(count), family_(family)
{
	for (u32 node = 1; node <= count_; node++) {
		EXPECT_EQ(0, set_node(node));
		for (u32 other = 1; other <= count_; other++) {
			ccm_peer_config peer{
				.number = other,
				.remote = endpoint_of(other, family_),
				.policy = {}};

			if (other == node)
				continue;
			EXPECT_EQ(0, add_peer(node, peer));
		}
	}
}

Cluster::~Cluster()
{
	for (u32 node = 1; node <= count_; node++) {
		if (attached_)
			EXPECT_EQ(0, CCM_detach(net(node), kModule));
		EXPECT_EQ(0, delete_node(node));
	}
}

void Cluster::copy_name(char *to)
{
	const char name[] = "test";

	for (size_t i = 0; i < sizeof(name); i++)
		to[i] = name[i];
}

ccm_endpoint Cluster::endpoint_of(u32 node, u8 family)
{
	ccm_endpoint endpoint{.family = family, .port = CCM_PORT_DEFAULT};

	if (family == 4) {
		const u8 v4[] = {10, 77, 0, static_cast<u8>(node)};

		ccm::copy(endpoint.address, v4, sizeof(v4));
	} else {
		endpoint.address[0] = 0xfd;
		endpoint.address[1] = 0x77;
		endpoint.address[15] = static_cast<u8>(node);
	}
	return endpoint;
}

void Cluster::connect(u32 lower, u32 higher)
{
	EXPECT_EQ(0, CCM_Listen_to(net(higher), lower, 0));
	EXPECT_EQ(0, CCM_Connect_to(net(lower), higher, kSoon));
	EXPECT_EQ(0, CCM_Listen_to(net(higher), lower, kSoon));
}

void Cluster::connect_all()
{
	for (u32 lower = 1; lower < count_; lower++)
		for (u32 higher = lower + 1; higher <= count_; higher++)
			connect(lower, higher);
}

void Cluster::attach_all(const ccm_limits *limits)
{
	attached_ = true;
	for (u32 node = 1; node <= count_; node++)
		EXPECT_EQ(0, ccm_attach_owner(net(node), kModule, limits,
					      nullptr));
}

int Cluster::set_key(u32 node, const void *secret, size_t size)
{
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_key_set(n, secret, size, nullptr);
	});
}

int Cluster::set_policy(u32 node, u32 number, const ccm_peer_policy &policy)
{
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_peer_set(n, number, &policy, true, nullptr);
	});
}

int Cluster::ping(u32 node, u32 number)
{
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_ping(n, number, nullptr);
	});
}

int Cluster::poke(u32 node, u32 number)
{
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_poke(n, number, nullptr);
	});
}

int Cluster::add_peer(u32 node, const ccm_peer_config &config)
{
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_peer_add(n, &config, nullptr);
	});
}

int Cluster::delete_peer(u32 node, u32 number)
{
	return with(net(node), [&](ccm_node *n) {
		int result = ccm_core_peer_delete(n, number, nullptr);

		if (result == 0)
			(void)eventually([&] {
				return peer(node, number).config.number !=
				       number;
			});
		return result;
	});
}

int Cluster::set_node(u32 node) const
{
	ccm_node_config config{.number = node,
			       .local = endpoint_of(node, family_)};

	copy_name(config.cluster);
	int result = set_key(node, kSecret, sizeof(kSecret));
	if (result)
		return result;
	return with(net(node), [&](ccm_node *n) {
		return ccm_core_node_set(n, &config, nullptr);
	});
}

int Cluster::delete_node(u32 node)
{
	return with(net(node), [&](ccm_node *n) {
		int result = ccm_core_node_delete(n, nullptr);

		if (result == 0)
			(void)eventually([&] {
				ccm_node_info now{};

				ccm_core_node_info(n, &now);
				return now.config.number == 0;
			});
		return result;
	});
}

u32 Cluster::forget(u32 node, struct module *owner)
{
	return with(net(node),
		    [&](ccm_node *n) { return ccm_core_forget(n, owner); });
}

u32 Cluster::count_calls(u32 node, ccm_call_what what)
{
	u32 count = 0;
	ccm_call_info info{};
	ccm_cursor at{};

	with(net(node), [&](ccm_node *n) {
		while (ccm_core_call_info(n, &at, &info) == 0)
			count += info.what == what;
		return 0;
	});
	return count;
}

ccm_node_stats Cluster::stats(u32 node)
{
	ccm_node_info info{};

	with(net(node), [&](ccm_node *n) {
		ccm_core_node_info(n, &info);
		return 0;
	});
	return info.stats;
}

ccm_peer_info Cluster::peer(u32 node, u32 number)
{
	ccm_peer_info info{};

	with(net(node),
	     [&](ccm_node *n) { return ccm_core_peer_info(n, number, &info); });
	return info;
}

void Cluster::consumer(u32 node, u32 module, ccm_consumer_info *out)
{
	with(net(node), [&](ccm_node *n) {
		return ccm_core_consumer_info(n, module, out);
	});
}

} // namespace ccm_testing
