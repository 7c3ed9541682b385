/* Image files in memory to and from 32-bit pixels: blue, green, red, alpha, premultiplied, rows without padding. */
#ifndef SMAE_IMAGES_H
#define SMAE_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* What the header of a file says. The C# side mirrors this struct. */
typedef struct {
    int32_t width;
    int32_t height;
    int32_t opaque; /* the format, or this file, has no transparency */
} smae_image_header;

/* Each returns 1 if it succeeded. Decoders are given zeroed pixels. A file that ends too early gives the rows that are there. */
EXPORT int smae_image_header_read(const uint8_t *data, size_t size, smae_image_header *header);
EXPORT int smae_image_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels);

/* Each returns memory of *size bytes, to be freed by smae_image_free, or NULL. */
EXPORT uint8_t *smae_image_encode_jpeg(const uint8_t *pixels, int bgra, int width, int height, int quality, size_t *size);
EXPORT uint8_t *smae_image_encode_png(const uint8_t *pixels, int bgra, int opaque, int width, int height, size_t *size);
EXPORT void smae_image_free(uint8_t *memory);

int jpeg_header(const uint8_t *data, size_t size, smae_image_header *header);
int jpeg_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels);
int png_header(const uint8_t *data, size_t size, smae_image_header *header);
int png_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels);

/* a * b / 255, rounded. */
static inline uint8_t multiply_255(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return (uint8_t)((product + (product >> 8)) >> 8);
}

#endif
