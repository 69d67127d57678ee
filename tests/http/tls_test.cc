#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "http/client.h"
#include "http/fetch.h"
#include "http/piped_work.h"
#include "http/raw_client.h"

namespace caravel::http::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A key and a certificate of its own signature for localhost, in two files.
class HttpTls : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("caravel-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
    std::FILE* file = std::fopen(certificate_file().c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  void TearDown() override {
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove_all(folder_);
  }

  std::string certificate_file() const { return folder_ / "certificate.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }
  ServerConfig config() const {
    ServerConfig config = any_port();
    config.certificate_file = certificate_file();
    config.private_key_file = key_file();
    return config;
  }
  static Url url(const Server& server) { return {.tls = true, .host = "localhost", .port = server.port()}; }

 private:
  std::filesystem::path folder_;
};

TEST_F(HttpTls, ServesAndStreams) {
  ::setenv("SSL_CERT_FILE", certificate_file().c_str(), 1);
  const auto pipe = std::make_shared<Pipe>();
  const auto server = Server::listen(config(), [&](const Request& request, const Wake& wake) {
    return request.path == "/stream" ? Pipe::work(pipe, wake) : echo(request, wake);
  });
  const auto client = Client::open(url(*server), seconds(20));
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    const Fetched fetched = fetch(*client, request_of("POST", "/", large)).get();
    EXPECT_EQ(fetched.error, "");
    EXPECT_EQ(fetched.response.body, "POST /? " + large);
  }
  EXPECT_EQ(server->stats().accepted, 1);
  std::future<Fetched> streamed = fetch(*client, request_of("GET", "/stream"));
  EXPECT_TRUE(eventually([&] { return pipe->advances() > 0; }));
  pipe->put("one");
  EXPECT_TRUE(eventually([&] { return pipe->advances() > 1; }));
  pipe->put("two");
  pipe->end();
  const Fetched fetched = streamed.get();
  EXPECT_EQ(fetched.error, "");
  EXPECT_EQ(fetched.response.body, "onetwo");
}

TEST_F(HttpTls, ClosesAndDropsAsAPlainOneDoes) {
  ::setenv("SSL_CERT_FILE", certificate_file().c_str(), 1);
  const auto pipe = std::make_shared<Pipe>();
  ServerConfig limited = config();
  limited.max_body_bytes = 10;
  const auto server = Server::listen(limited, [&](const Request& request, const Wake& wake) {
    return request.path == "/stream" ? Pipe::work(pipe, wake) : echo(request, wake);
  });
  auto client = Client::open(url(*server), seconds(20));
  Request closing = request_of("GET", "/");
  closing.headers.add("Connection", "close");
  EXPECT_EQ(fetch(*client, closing).get().response.body, "GET /? ");
  EXPECT_EQ(fetch(*client, request_of("POST", "/", "more than ten")).get().response.status, 413);
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  fetch(*client, request_of("GET", "/stream"));
  EXPECT_TRUE(eventually([&] { return pipe->advances() > 0; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return pipe->work_is_gone(); }));
}

TEST_F(HttpTls, AClientTrustsNoStranger) {
  const auto server = Server::listen(config(), echo);
  const auto client = Client::open(url(*server), seconds(20));
  EXPECT_THAT(fetch(*client, request_of("GET", "/")).get().error, testing::HasSubstr("certificate verify failed"));
}

TEST_F(HttpTls, RefusesOldVersionsAndPlainHttp) {
  ServerConfig quick = config();
  quick.header_timeout = seconds(5);
  const auto server = Server::listen(quick, echo);
  RawClient plain(server->port());
  plain.send(get_request("/"));
  EXPECT_EQ(plain.receive().status, 0);
  // A greeting that offers TLS 1.1 at most.
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()), &BIO_free_all);
  BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(server->port())).c_str());
  EXPECT_LE(BIO_do_connect(bio.get()), 0);
  EXPECT_EQ(server->stats().requests, 0);
}

TEST_F(HttpTls, SaysWhichFileIsWrong) {
  ServerConfig wrong = config();
  wrong.certificate_file = "/nowhere/certificate.pem";
  EXPECT_THROW(Server::listen(wrong, echo), Error);
  wrong = config();
  wrong.private_key_file = certificate_file();
  try {
    Server::listen(wrong, echo);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(certificate_file() + ": not a private key"));
  }
}

}  // namespace
}  // namespace caravel::http::test
