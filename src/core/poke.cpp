// SPDX-License-Identifier: GPL-2.0
#include "core/poke.hpp"

#include "core/handshake.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

constexpr u32 kPokeLastsMs = 1000;

} // namespace

Poke::Poke(Listener &to_serve, const Node &node, const ccm_peer_config &config)
	: Work(Work::Of::Poke), to(config.number),
	  deadline_ms(ccm_now_ms() + kPokeLastsMs), node_(node),
	  remote_(config.remote)
{
	listener = &to_serve;
}

Poke::~Poke()
{
	if (socket)
		ccm_socket_close(socket);
}

void Poke::begin()
{
	Work *work = this;
	ccm_endpoint local = node_.config.local;

	local.port = 0;
	if (ccm_socket_connect(node_.net, &local, &remote_, kPokeLastsMs, work,
			       &socket))
		listener->remove(*this);
	else
		listener->mark(*this, CCM_READY_STATE);
}

// The peer closes it when it has heard; so does the deadline.
void Poke::serve()
{
	int status = ccm_socket_status(socket);

	if (status == -EINPROGRESS)
		return;
	if (status < 0) {
		listener->remove(*this);
		return;
	}
	if (!said_)
		say();
	said_ = true;
}

void Poke::say()
{
	wire::HelloFrame hello;
	Ref<Secret> secret = node_.secret();

	Handshake::compose(node_, to, wire::kPoke, secret->secure, hello);
	(void)ccm_socket_send(socket, hello, sizeof(hello), nullptr, 0, false);
}

} // namespace ccm
