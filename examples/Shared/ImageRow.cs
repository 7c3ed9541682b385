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
            .. Files(folder.FullName, [PlaceOf(folder.FullName)]).Where(ImageFiles.IsImage).Order(StringComparer.Ordinal)
                .Select(path => new ImageRow { ImagePath = path }),
        ];
        return images.Length > 0
            ? images
            : throw new InvalidDataException($"There is no image in '{folder}': looked for files that end in {string.Join(", ", ImageFiles.Extensions)}.");
    }

    /// <param name="places">Where the folder and those that it was come to through really lie: a link to one of them would never end.</param>
    private static IEnumerable<string> Files(string folder, string[] places) => Directory.EnumerateFiles(folder).Concat(
        from inner in Directory.EnumerateDirectories(folder)
        let place = PlaceOf(Path.Combine(places[^1], Path.GetFileName(inner)))
        where !places.Any(p => (p + Path.DirectorySeparatorChar).StartsWith(place + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        from file in Files(inner, [.. places, place])
        select file);

    private static string PlaceOf(string folder) =>
        Path.TrimEndingDirectorySeparator(Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder);
}
