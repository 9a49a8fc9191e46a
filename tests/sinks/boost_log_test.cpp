// SPDX-License-Identifier: MIT
#include <spool/sinks/boost_log.hpp>
#include <spool/sinks/from_boost_log.hpp>

#include "keeping.hpp"

#include <boost/log/attributes/constant.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/text_ostream_backend.hpp>
#include <boost/log/sources/severity_channel_logger.hpp>
#include <boost/log/trivial.hpp>
#include <boost/make_shared.hpp>
#include <catch2/catch.hpp>

#include <sstream>

namespace {

namespace logging = boost::log;
namespace expr = boost::log::expressions;
using Severity = logging::trivial::severity_level;
using sinks_test::keeping;

/// Messages of this process go to Boost.Log too.
const bool configured = (keeping({spool::sinks::boost_log({.transitions = false})}), true);

/// Boost's core has one more sink as long as this lives.
class Installed {
 public:
  explicit Installed(boost::shared_ptr<logging::sinks::sink> sink) : sink_{std::move(sink)} {
    logging::core::get()->add_sink(sink_);
  }
  Installed(const Installed&) = delete;
  Installed& operator=(const Installed&) = delete;
  ~Installed() { logging::core::get()->remove_sink(sink_); }

 private:
  boost::shared_ptr<logging::sinks::sink> sink_;
};

/// What Boost.Log makes of Records, by a format of its own.
class Page {
 public:
  explicit Page(const logging::formatter& format) {
    auto backend = boost::make_shared<logging::sinks::text_ostream_backend>();
    backend->add_stream(boost::shared_ptr<std::ostream>{&text_, [](void*) {}});
    front_ = boost::make_shared<logging::sinks::synchronous_sink<logging::sinks::text_ostream_backend>>(backend);
    front_->set_formatter(format);
  }
  boost::shared_ptr<logging::sinks::sink> front() const { return front_; }
  template <class Filter>
  void filter(const Filter& filter) {
    front_->set_filter(filter);
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  boost::shared_ptr<logging::sinks::synchronous_sink<logging::sinks::text_ostream_backend>> front_;
};

TEST_CASE("a message through Boost.Log keeps its level, channel, text and thread") {
  keeping().take();
  const Installed door{spool::sinks::from_boost_log()};
  spool::Thread worker{
      {.name = "booster"}, [] {
        logging::sources::severity_channel_logger<Severity> store{logging::keywords::channel = "store"};
        BOOST_LOG_SEV(store, Severity::error) << "no such key: " << 7;
      }};
  worker.start();
  worker.join();
  BOOST_LOG_TRIVIAL(fatal) << "trivial";
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].text == "no such key: 7");
  CHECK(kept[0].level == spool::Level::error);
  CHECK(kept[0].logger == "store");
  CHECK(kept[0].thread_name == "booster");
  CHECK(kept[1].level == spool::Level::critical);
  CHECK(kept[1].logger.empty());
}

TEST_CASE("a place that is given in attributes is the message's place") {
  keeping().take();
  const Installed door{spool::sinks::from_boost_log()};
  logging::sources::severity_channel_logger<int> logger{logging::keywords::channel = "placed"};
  logger.add_attribute("File", logging::attributes::constant<std::string>{"handmade.cpp"});
  logger.add_attribute("Line", logging::attributes::constant<int>{42});
  BOOST_LOG_SEV(logger, 3) << "with a plain number as severity";
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].file == "handmade.cpp");
  CHECK(kept[0].line == 42);
  CHECK(kept[0].level == spool::Level::warning);
}

/// A Record as the feed would give it.
struct Sample {
  spool::SinkRecord record;
  explicit Sample(std::string_view row) {
    record.row = spool::trace::row_named(row);
    record.time = 1'790'000'000'123'456'789;
    record.pid = 4711;
    record.thread = 5;
    record.thread_name = "worker-1";
    record.object = spool::trace::first_object_number + 3;
    record.object_kind = spool::trace::Kind::lock;
    record.object_name = "cache";
    record.level = spool::Level::trace;
  }
};

TEST_CASE("Boost's formatters find names, transitions and waits as attributes") {
  Page page{expr::stream << expr::attr<std::string>("ThreadName") << "|" << expr::attr<std::uint32_t>("ThreadID") << "|"
                         << expr::attr<std::string>("Transition") << "|" << expr::attr<std::string>("Object") << "|"
                         << expr::attr<std::int64_t>("Wait") << "|" << expr::smessage};
  const Installed installed{page.front()};
  const auto sink = spool::sinks::boost_log();
  Sample block{"lock.block"};
  sink->write(block.record);
  Sample acquire{"lock.acquire"};
  acquire.record.time += 2500;
  sink->write(acquire.record);
  sink->flush();
  CHECK(page.text() ==
        "worker-1|5|lock.block|cache||lock.block cache\n"
        "worker-1|5|lock.acquire|cache|2500|lock.acquire cache\n");
}

TEST_CASE("Boost's filters work on a message's own arguments") {
  Page page{expr::stream << expr::attr<std::string>("Channel") << ": " << expr::smessage << " at "
                         << expr::attr<std::string>("File") << ":" << expr::attr<std::uint32_t>("Line")};
  page.filter(expr::attr<std::int64_t>("ms") > 10 && logging::trivial::severity >= Severity::info);
  const Installed installed{page.front()};
  const auto sink = spool::sinks::boost_log();
  Sample message{"message"};
  message.record.level = spool::Level::info;
  message.record.logger = "http";
  message.record.file = "server.cpp";
  message.record.line = 33;
  for (const std::int64_t ms : {3, 30}) {
    const std::string text = "served in " + std::to_string(ms) + " ms";
    const spool::trace::NamedField field{"ms", spool::trace::Means::value, ms, {}, 0};
    message.record.text = text;
    message.record.fields = {&field, 1};
    sink->write(message.record);
  }
  sink->flush();
  CHECK(page.text() == "http: served in 30 ms at server.cpp:33\n");
}

TEST_CASE("an argument named like one of our attributes does not replace it") {
  Page page{expr::stream << expr::attr<std::string>("ThreadName")};
  const Installed installed{page.front()};
  const auto sink = spool::sinks::boost_log();
  Sample message{"message"};
  const spool::trace::NamedField forged{
      "ThreadName", spool::trace::Means::value, std::string_view{"somebody else"}, {}, 0};
  message.record.fields = {&forged, 1};
  sink->write(message.record);
  sink->flush();
  CHECK(page.text() == "worker-1\n");
}

TEST_CASE("with sink and door both installed a message goes round once") {
  REQUIRE(configured);
  keeping().take();
  const Installed door{spool::sinks::from_boost_log()};
  std::size_t shown = 0;
  BOOST_LOG_TRIVIAL(info) << "once";
  for (const auto& kept : keeping().take())
    shown += kept.text == "once" ? 1 : 0;
  CHECK(shown == 1);
}

}  // namespace
