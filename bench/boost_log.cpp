// SPDX-License-Identifier: MIT
#include "boost_log.hpp"

#if defined(BENCH_HAS_BOOST_LOG)

#include <boost/log/core.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/sources/severity_logger.hpp>
#include <boost/log/trivial.hpp>
#include <boost/log/utility/setup/common_attributes.hpp>
#include <boost/log/utility/setup/file.hpp>

namespace bench {

namespace logging = boost::log;

struct BoostLog::Parts {
  logging::sources::severity_logger<logging::trivial::severity_level> logger;
};

BoostLog::BoostLog(const std::string& file) : parts_{std::make_unique<Parts>()} {
  logging::add_common_attributes();
  logging::add_file_log(logging::keywords::file_name = file,
                        logging::keywords::format = "[%TimeStamp%] [%ThreadID%] [%Severity%] %Message%");
}

BoostLog::~BoostLog() {
  logging::core::get()->remove_all_sinks();
}

void BoostLog::acquired(int lock) {
  BOOST_LOG_SEV(parts_->logger, logging::trivial::info) << "acquired lock " << lock;
}

}  // namespace bench

#endif
