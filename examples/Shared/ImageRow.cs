using Smae.MLNet;

namespace Examples;

/// <summary>An image file as a row.</summary>
internal sealed class ImageRow
{
    public string ImagePath { get; set; } = "";

    /// <summary>All images of a folder and the folders in it, in the order of their paths: a resumed run needs the same order again.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static IReadOnlyList<ImageRow> In(DirectoryInfo folder)
    {
        ImageRow[] images =
        [
            .. folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => ImageFiles.IsImage(f.Name))
                .Select(f => new ImageRow { ImagePath = f.FullName }).OrderBy(p => p.ImagePath, StringComparer.Ordinal),
        ];
        return images.Length > 0
            ? images
            : throw new InvalidDataException($"There is no image in '{folder}': looked for files that end in {string.Join(", ", ImageFiles.Extensions)}.");
    }
}
