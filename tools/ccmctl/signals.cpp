// SPDX-License-Identifier: GPL-2.0
#include "signals.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <sys/signalfd.h>
#include <unistd.h>

#include "failure.hpp"

namespace ccmctl {

Signals::Signals(std::initializer_list<int> numbers)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int number : numbers)
		sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, nullptr);
	fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd_ < 0)
		throw Failure(std::string("cannot wait for signals: ") +
			      std::strerror(errno));
}

Signals::~Signals()
{
	close(fd_);
}

std::optional<int> Signals::take()
{
	signalfd_siginfo info{};

	if (read(fd_, &info, sizeof(info)) != sizeof(info))
		return std::nullopt;
	return static_cast<int>(info.ssi_signo);
}

}
