namespace Smae.Training;

/// <summary>Rows of numbers, one for each token of each image, of which a block may keep those from some token on.</summary>
/// <param name="Images">Images.</param>
/// <param name="Tokens">Tokens of each.</param>
/// <param name="First">The first token that is kept.</param>
/// <param name="Length">Numbers of a token.</param>
internal readonly record struct TokenRows(long Images, int Tokens, int First, int Length)
{
    /// <summary>Rows of all tokens.</summary>
    public long Count => Images * Tokens;

    /// <summary>Tokens of an image that are kept.</summary>
    public int KeptTokens => Tokens - First;

    /// <summary>Rows of the tokens kept, all of which are there is to them.</summary>
    public TokenRows Kept => new(Images, KeptTokens, 0, Length);

    /// <summary>The row of a kept one among all.</summary>
    public long FromKept(long kept) => First == 0 ? kept : kept / KeptTokens * Tokens + First + kept % KeptTokens;

    /// <summary>The row among those kept; -1 for one that is not.</summary>
    public long ToKept(long row)
    {
        if (First == 0) return row;
        long token = row % Tokens;
        return token < First ? -1 : row / Tokens * KeptTokens + token - First;
    }
}
