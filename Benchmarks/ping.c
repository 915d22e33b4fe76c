// The least that asks a server for its description: what `replctl ping` is measured against.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **words) {
  static const char body[] = "{\"command\":\"DescribeServer\",\"protocol\":1,\"id\":0}";
  char frame[128], reply[1 << 16];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2 || strlen(words[1]) >= sizeof address.sun_path) {
    fputs("usage: ping SOCKET\n", stderr);
    return 64;
  }
  strcpy(address.sun_path, words[1]);
  int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (peer < 0 || connect(peer, (struct sockaddr *)&address, sizeof address) != 0) return 69;
  int length = snprintf(frame, sizeof frame, "\377v01l%zu;%s", sizeof body - 1, body);
  if (write(peer, frame, (size_t)length) != length) return 69;

  size_t filled = 0, wanted = 0;
  while (wanted == 0 || filled < wanted) {
    ssize_t taken = read(peer, reply + filled, sizeof reply - 1 - filled);
    if (taken <= 0) return 69;
    filled += (size_t)taken;
    reply[filled] = 0;
    int header = 0;
    unsigned long size = 0;
    if (wanted == 0 && sscanf(reply, "\377v01l%lu;%n", &size, &header) == 1 && header > 0) wanted = (size_t)header + size;
    if (wanted >= sizeof reply) return 76;
  }
  if (strstr(reply, "\"repltools\"") == NULL) return 76;
  puts("repltools answers");
  return 0;
}
