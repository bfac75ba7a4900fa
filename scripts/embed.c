/* SPDX-License-Identifier: Apache-2.0 */
/* embed SCHEMA [ROOT FILE…]: prints build/assets.c: the schema's text and, for
 * each file under ROOT, its path, type, SHA-256 tag and gzip bytes.  sha256sum
 * and gzip do the hashing and packing, so the output is the same each time. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
    fprintf(stderr, "embed: %s\n", what);
    exit(1);
}

static const char *mime_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".woff2", "font/woff2"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    die(path);
    return NULL;
}

static FILE *run(const char *format, const char *path)
{
    char command[4096];

    if (strpbrk(path, "'\\\n"))
        die("a file name needs quoting");
    snprintf(command, sizeof(command), format, path);
    FILE *f = popen(command, "r");
    if (!f)
        die(command);
    return f;
}

static size_t print_bytes(FILE *f)
{
    size_t n = 0;

    for (int ch = getc(f); ch != EOF; ch = getc(f), n++)
        printf(n % 32 == 31 ? "%d,\n" : "%d,", ch);
    return n;
}

static void print_text(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[4096];

    if (!f)
        die(path);
    printf("const char schema_sql[] =\n");
    while (fgets(line, sizeof(line), f)) {
        putchar('"');
        for (char *p = line; *p; p++)
            if (*p == '\n')
                printf("\\n");
            else if (*p == '"' || *p == '\\')
                printf("\\%c", *p);
            else
                putchar(*p);
        printf("\"\n");
    }
    printf(";\n");
    fclose(f);
}

int main(int argc, char **argv)
{
    int files = argc > 3 ? argc - 3 : 0;
    size_t *sizes = calloc((size_t)files + 1, sizeof(*sizes));

    if (argc < 2 || !sizes)
        die("usage: embed SCHEMA [ROOT FILE…]");
    printf("#include \"base/asset.h\"\n");
    print_text(argv[1]);
    for (int i = 0; i < files; i++) {
        printf("static const unsigned char file_%d[] = {", i);
        FILE *f = run("gzip -9nc '%s'", argv[3 + i]);
        sizes[i] = print_bytes(f);
        if (pclose(f) != 0)
            die("gzip failed");
        printf("};\n");
    }
    printf("const struct asset asset_table[] = {\n");
    for (int i = 0; i < files; i++) {
        const char *path = argv[3 + i];
        char tag[33] = "";
        FILE *f = run("sha256sum '%s'", path);
        if (fread(tag, 1, 32, f) != 32)
            die("sha256sum failed");
        pclose(f);
        FILE *raw = fopen(path, "r");
        if (!raw)
            die(path);
        fseek(raw, 0, SEEK_END);
        printf("{\"%s\", \"%s\", \"%s\", file_%d, %zu, %ld},\n",
               path + strlen(argv[2]), mime_of(path), tag, i, sizes[i],
               ftell(raw));
        fclose(raw);
    }
    printf("{0}};\nconst size_t asset_count = %d;\n", files);
    return 0;
}
