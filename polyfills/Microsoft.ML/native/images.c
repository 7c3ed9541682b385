/* Which decoder a file goes to, and the formats that stb_image reads. */
#include "images.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Only these two: stb would take almost any bytes for a TGA picture. */
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_FAILURE_STRINGS
#define STB_IMAGE_IMPLEMENTATION
#include "stb_image.h"

enum format { UNKNOWN, JPEG, PNG, OTHER };

static enum format format_of(const uint8_t *data, size_t size) {
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return JPEG;
    if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return PNG;
    if (size >= 6 && (memcmp(data, "GIF87a", 6) == 0 || memcmp(data, "GIF89a", 6) == 0))
        return OTHER;
    if (size >= 2 && memcmp(data, "BM", 2) == 0)
        return OTHER;
    return UNKNOWN;
}

static int other_header(const uint8_t *data, size_t size, smae_image_header *header) {
    int channels;
    if (size > INT_MAX || !stbi_info_from_memory(data, (int)size, &header->width, &header->height, &channels))
        return 0;
    header->opaque = channels == 1 || channels == 3;
    return 1;
}

static int other_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels) {
    int width, height, channels;
    uint8_t *rgba = stbi_load_from_memory(data, (int)size, &width, &height, &channels, 4);
    if (rgba == NULL)
        return 0;
    int ok = width == header->width && height == header->height;
    size_t count = ok ? (size_t)width * (size_t)height : 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = rgba + i * 4;
        uint8_t *to = pixels + i * 4;
        unsigned alpha = from[3];
        to[0] = multiply_255(from[2], alpha);
        to[1] = multiply_255(from[1], alpha);
        to[2] = multiply_255(from[0], alpha);
        to[3] = (uint8_t)alpha;
    }
    stbi_image_free(rgba);
    return ok;
}

int smae_image_header_read(const uint8_t *data, size_t size, smae_image_header *header) {
    int ok;
    switch (format_of(data, size)) {
    case JPEG:
        ok = jpeg_header(data, size, header);
        break;
    case PNG:
        ok = png_header(data, size, header);
        break;
    case OTHER:
        ok = other_header(data, size, header);
        break;
    default:
        return 0;
    }
    return ok && header->width > 0 && header->height > 0;
}

int smae_image_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels) {
    switch (format_of(data, size)) {
    case JPEG:
        return jpeg_decode(data, size, header, pixels);
    case PNG:
        return png_decode(data, size, header, pixels);
    case OTHER:
        return other_decode(data, size, header, pixels);
    default:
        return 0;
    }
}

void smae_image_free(uint8_t *memory) {
    free(memory);
}
